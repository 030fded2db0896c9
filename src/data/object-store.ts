import { createHash } from 'node:crypto';
import { UserError } from '../core/foundation/errors.ts';

/** Files by their SHA-256 in a store that several machines reach. */
export interface ObjectStore {
  /** `undefined`: it is not there. The bytes are checked against the hash. */
  get(sha256: string): Promise<Uint8Array | undefined>;
  has(sha256: string): Promise<boolean>;
  put(sha256: string, bytes: Uint8Array): Promise<void>;
}

const MOST_BYTES = 2 ** 30;

/**
 * Opens `s3://<bucket>/<prefix>` of Amazon or of whoever speaks its protocol: AWS_ENDPOINT_URL_S3 is the address of another host, and
 * the keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from the environment alone. Throws `UserError` for another address,
 * without keys, and where the client is not installed.
 */
export async function openObjectStore(url: string): Promise<ObjectStore> {
  const [, bucket, folder = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})(?:\/([\w./-]*))?$/.exec(url) ?? [];
  if (bucket === undefined)
    throw new UserError(`"${url}" is no store.`, { hint: 'Expected s3://bucket or s3://bucket/folder.' });
  const { env } = process;
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (!accessKeyId || !secretAccessKey)
    throw new UserError('AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set: the store needs both.', {
      hint: 'Write them into .env. AWS_ENDPOINT_URL_S3 is the address of a store that is not at Amazon.',
    });
  const { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } = await client();
  const token = env['AWS_SESSION_TOKEN'];
  const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const s3 = new S3Client({
    credentials: { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) },
    region: env['AWS_REGION'] ?? 'us-east-1',
    ...(endpoint && { endpoint }),
    forcePathStyle: true,
    // Stores beside Amazon's do not know the newer checksums; what is read is checked by its own hash.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const place = (sha256: string) => ({
    Bucket: bucket,
    Key: [...folder.split('/').filter(Boolean), sha256].join('/'),
  });
  const asked = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      if (name === 'NotFound' || name === 'NoSuchKey') return undefined;
      throw new UserError(`The store ${url} refuses or does not answer: ${name}: ${message}.`, {
        hint: 'Check AWS_ENDPOINT_URL_S3, the keys, and what they may do in this bucket.',
      });
    }
  };
  return {
    get: (sha256) =>
      asked(async () => {
        const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand(place(sha256)));
        if (Body === undefined || ContentLength > MOST_BYTES) return undefined;
        const bytes = await Body.transformToByteArray();
        return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : undefined;
      }),
    has: async (sha256) => (await asked(() => s3.send(new HeadObjectCommand(place(sha256))))) !== undefined,
    put: async (sha256, bytes) =>
      void (await asked(() => s3.send(new PutObjectCommand({ ...place(sha256), Body: bytes })))),
  };
}

/** Some 10 MB that few need. */
async function client() {
  // That it will not be updated for Node 20 for ever is nothing that its user can do about.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    throw new UserError('The client for S3 stores is not installed.', {
      hint: 'npm install @aws-sdk/client-s3',
      cause: error,
    });
  }
}
