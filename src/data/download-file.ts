import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../core/foundation/errors.ts';
import type { Log } from '../core/foundation/log.ts';
import { plainLine } from '../core/foundation/plain-text.ts';
import { networkFault, Unanswered } from './answer.ts';
import { explainDiskError, makeFolder, syncFolder } from './files.ts';
import { createPatience } from './patience.ts';
import { SourceUnavailable } from './source.ts';

/** What a file must be, known before a byte of it is asked for. */
export interface ExpectedFile {
  readonly bytes: number;
  /** `git`: the SHA-1 that git gives a file, of its length and its content. */
  readonly digest: { readonly kind: 'sha256' | 'git'; readonly hex: string };
}

export interface FileDownload {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs?: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onBytes?: (bytes: number) => void;
}

const MOST_REDIRECTS = 5;

/**
 * Brings a large file to `path`: what is there already under `<path>.part` is kept and only the rest is asked for, also by a
 * later process; an answer that is longer than expected, or of another length, is given up at once; nothing stands at
 * `path` before its digest is right. Throws `SourceUnavailable` when the host does not answer, `UserError` for another content.
 */
export async function downloadFile(
  url: string,
  path: string,
  expected: ExpectedFile,
  options: FileDownload,
): Promise<void> {
  const { signal, retries, log } = options;
  const part = `${path}.part`;
  makeFolder(dirname(path));
  const patience = createPatience({
    name: new URL(url).host,
    retries,
    ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    isTransient: (error) => error instanceof Unanswered,
    log,
  });
  await patience
    .call(async () => {
      const from = await lengthOf(part);
      if (from > expected.bytes) await rm(part, { force: true });
      if (from !== expected.bytes)
        await receive(url, part, { from: from > expected.bytes ? 0 : from, expected, ...options });
    }, signal)
    .catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Unanswered)) throw error;
      throw new SourceUnavailable(
        `${new URL(url).host} cannot be reached or is not answering: ${error.message}`,
        {
          hint: 'What has come is kept: run the command again to resume.',
          cause: error,
        },
      );
    });
  if ((await digestOf(part, expected, signal)) !== expected.digest.hex) {
    await rm(part, { force: true });
    throw new UserError(`${plainLine(url, 200)} has another content than was announced: it was deleted.`, {
      hint: 'Run the command again; if it comes again, the file was changed, or the connection is not to be trusted.',
    });
  }
  await rename(part, path);
  await syncFolder(dirname(path));
}

async function receive(
  url: string,
  part: string,
  {
    from,
    expected,
    timeoutMs,
    signal,
    onBytes,
  }: FileDownload & { readonly from: number; readonly expected: ExpectedFile },
): Promise<void> {
  const limit = new AbortController();
  const silence = setTimeout(
    () => limit.abort(new Unanswered(`nothing came within ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    const response = await follow(url, from, AbortSignal.any([signal, limit.signal]));
    const start = response.status === 206 ? from : 0;
    if (response.status !== 200 && response.status !== 206) throw new Unanswered(`status ${response.status}`);
    const range = response.headers.get('content-range');
    if (response.status === 206 && range !== `bytes ${from}-${expected.bytes - 1}/${expected.bytes}`)
      throw new Unanswered(`another part than asked for: "${plainLine(range ?? 'none', 60)}"`);
    const length = response.headers.get('content-length');
    if (
      length !== null &&
      response.headers.get('content-encoding') === null &&
      Number(length) !== expected.bytes - start
    )
      throw new Unanswered(`${plainLine(length, 20)} bytes, expected ${expected.bytes - start}`);
    const file = await open(part, start === 0 ? 'w' : 'a');
    try {
      let have = start;
      const pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
      for await (const piece of pieces) {
        silence.refresh();
        have += piece.length;
        if (have > expected.bytes) {
          await file.truncate(0);
          throw new Unanswered(`more than the ${expected.bytes} bytes that were announced`);
        }
        await file.writeFile(piece);
        onBytes?.(have);
      }
      await file.sync();
      if (have < expected.bytes) throw new Unanswered(`an end after ${have} of ${expected.bytes} bytes`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof Unanswered || error instanceof UserError) throw error;
    if (error instanceof Error && 'syscall' in error && 'path' in error) throw explainDiskError(error, part);
    throw new Unanswered(networkFault(error), { cause: error });
  } finally {
    clearTimeout(silence);
    limit.abort();
  }
}

/** Large files are answered by a redirect to where they are stored: over TLS, or to the host that was asked itself. */
async function follow(url: string, from: number, signal: AbortSignal): Promise<Response> {
  let at = new URL(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const response = await fetch(at, {
      redirect: 'manual',
      signal,
      headers: { 'Accept-Encoding': 'identity', ...(from > 0 ? { Range: `bytes=${from}-` } : {}) },
    });
    const { status } = response;
    if (status < 300 || status >= 400) return response;
    const target = response.headers.get('location') ?? '';
    await response.body?.cancel();
    if (!URL.canParse(target, at.href)) throw new Unanswered(`a redirect to "${plainLine(target, 100)}"`);
    const next = new URL(target, at);
    if (next.protocol !== 'https:' && next.origin !== at.origin)
      throw new Unanswered(
        `a redirect to "${plainLine(target, 100)}", which is neither https nor ${at.host}`,
      );
    at = next;
  }
  throw new Unanswered(`more than ${MOST_REDIRECTS} redirects`);
}

const lengthOf = async (path: string): Promise<number> =>
  (await stat(path).catch(() => undefined))?.size ?? 0;

async function digestOf(path: string, { bytes, digest }: ExpectedFile, signal: AbortSignal): Promise<string> {
  const hash = createHash(digest.kind === 'git' ? 'sha1' : 'sha256');
  if (digest.kind === 'git') hash.update(`blob ${bytes}\0`);
  for await (const piece of createReadStream(path, { signal, highWaterMark: 2 ** 20 }))
    hash.update(piece as Buffer);
  return hash.digest('hex');
}
