import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=UTF-8',
  '.js': 'text/javascript; charset=UTF-8',
  '.css': 'text/css; charset=UTF-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=UTF-8',
};

interface File {
  readonly type: string;
  readonly etag: string;
  /** Its name has a hash of its content: it never changes. */
  readonly immutable: boolean;
  body(encoding: 'br' | 'gzip' | 'identity'): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The files of the web page. They are listed once, at the start: what a request names is looked up in that list, so no path can lead out
 * of the folder.
 */
export function serveFiles(folder: string): MiddlewareHandler {
  const files = new Map(listFiles(folder).map((name) => [`/${name}`, fileAt(folder, name)]));
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return next();
    const file = files.get(c.req.path === '/' ? '/index.html' : c.req.path);
    if (file === undefined) return next();
    const accepted = c.req.header('accept-encoding') ?? '';
    const encoding = /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : 'identity';
    const headers = {
      'Content-Type': file.type,
      'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      Vary: 'Accept-Encoding',
    };
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers);
    const body = await file.body(encoding);
    return c.body(
      body,
      200,
      encoding === 'identity' ? headers : { ...headers, 'Content-Encoding': encoding },
    );
  };
}

const listFiles = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
    .map((entry) =>
      join(entry.parentPath, entry.name).slice(folder.length).split(sep).filter(Boolean).join('/'),
    );

function fileAt(folder: string, name: string): File {
  const content = readFileSync(join(folder, name));
  const made = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  return {
    type: TYPES[extname(name)],
    etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 24)}"`,
    immutable: name.startsWith('assets/'),
    body: (encoding) => {
      const known = made.get(encoding) ?? encoded(content, encoding);
      made.set(encoding, known);
      return known;
    },
  };
}

async function encoded(
  content: Buffer,
  encoding: 'br' | 'gzip' | 'identity',
): Promise<Uint8Array<ArrayBuffer>> {
  if (encoding === 'identity') return new Uint8Array(content);
  const packed =
    encoding === 'br'
      ? await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
      : await promisify(gzip)(content);
  return new Uint8Array(packed);
}
