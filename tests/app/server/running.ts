import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');
const Ready = z.object({ url: z.string(), token: z.string(), pid: z.number() });

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => unknown;
}

export interface TestServer {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** Asks with the token. */
  ask(path: string, options?: Asking): Promise<Answer>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  /** `null`: without one. */
  readonly token?: string | null;
}

/** `crypto-trader serve` in `cwd`, as a user starts it, on a free port. */
export async function serve(
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
  ...args: readonly string[]
): Promise<TestServer> {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--json', ...args], {
    cwd,
    env: { PATH: process.env['PATH'], TZ: 'Asia/Kolkata', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const line = await new Promise<string>((ready, fail) => {
    child.stdout.setEncoding('utf8').once('data', ready);
    child.once('exit', (code) => fail(new Error(`serve ended with ${code}: ${complaints}`)));
  });
  const { url, token, pid } = Ready.parse(JSON.parse(line));
  return {
    url,
    token,
    pid,
    ask: (path, options = {}) => ask(url, path, { token, ...options }),
    kill: async (signal) => {
      child.kill(signal);
      const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await ended);
      return code;
    },
  };
}

/** The same, stopped when the test is. */
export async function serveInTest(...given: Parameters<typeof serve>): Promise<TestServer> {
  const server = await serve(...given);
  onTestFinished(() => server.kill('SIGKILL').then(() => undefined));
  return server;
}

/** A request as any client may send it: headers that `fetch` keeps to itself, paths that it would tidy up. */
export function ask(url: string, path: string, options: Asking): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const { method = 'GET', token, body, raw } = options;
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((done, fail) => {
    const outgoing = request(
      {
        host: hostname.replace(/^\[|\]$/g, ''),
        port,
        path,
        method,
        agent: false,
        headers: {
          host,
          ...(token !== null && token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(sent !== undefined && { 'content-length': String(Buffer.byteLength(sent)) }),
          ...options.headers,
        },
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.once('error', fail).once('end', () =>
          done({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json: () => JSON.parse(text) as unknown,
          }),
        );
      },
    );
    outgoing.once('error', fail);
    outgoing.end(sent);
  });
}
