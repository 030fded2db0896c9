import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TextAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The connection ends before any answer, or in the middle of it. */
  readonly broken?: 'lost' | 'half';
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A host on the loopback interface that answers what `reply` says, until the test ends. */
export async function startTextServer(
  reply: (asked: Asked) => TextAnswer,
): Promise<{ readonly url: string; readonly requests: Asked[] }> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://loopback');
      const asked = {
        method: request.method ?? 'GET',
        path: pathname,
        params: searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      requests.push(asked);
      const { status = 200, headers = {}, body = '', broken } = reply(asked);
      if (broken === 'lost') {
        response.socket?.destroy();
        return;
      }
      const bytes = Buffer.from(body);
      response.writeHead(status, { ...headers, 'Content-Length': bytes.length });
      if (broken === 'half')
        response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
      else response.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}
