import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

const KEY_ID = 'AKIDEXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/**
 * A store of objects on loopback that speaks S3 by path: GET, HEAD and PUT. Every request must be signed as the AWS General Reference
 * says (Signature Version 4), its body included; others get 403.
 */
export async function startS3(): Promise<{
  readonly environment: Readonly<Record<string, string>>;
  /** By path, `/bucket/key`. */
  readonly objects: Map<string, Buffer>;
  /** Methods and paths as they were asked for, with the status of the answer. */
  readonly asked: string[];
  stop(): void;
}> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url = '' } = request;
      const path = decodeURIComponent(url.split('?')[0]);
      const answer = (status: number, content: Buffer | string = ''): void => {
        asked.push(`${method} ${path} ${status}`);
        response.writeHead(status, { 'content-length': Buffer.byteLength(content) });
        response.end(method === 'HEAD' ? undefined : content);
      };
      if (!isSigned(request, body)) return answer(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
      if (method === 'PUT') {
        objects.set(path, body);
        return answer(200);
      }
      const found = objects.get(path);
      if (found === undefined) return answer(404, '<Error><Code>NoSuchKey</Code></Error>');
      answer(200, found);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    environment: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: KEY_ID,
      AWS_SECRET_ACCESS_KEY: SECRET,
    },
    objects,
    asked,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

function isSigned({ method = '', url = '', headers }: IncomingMessage, body: Buffer): boolean {
  const [, date, region, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\d{8})\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const payload = String(headers['x-amz-content-sha256']);
  if (date === undefined || payload !== sha256(body)) return false;
  const [path, query = ''] = url.split('?');
  const canonical = [
    method,
    path,
    query.split('&').toSorted().join('&'),
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    payload,
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${SECRET}`, date), region));
  return hmac(key, text).toString('hex') === signature;
}
