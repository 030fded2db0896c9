import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { createBucket } from '../../../src/app/server/bucket.ts';
import { startServer } from '../../../src/app/server/serve.ts';
import { configJsonSchema, type JsonSchema } from '../../../src/app/config/load.ts';
import { writable } from '../../../src/app/server/settings-rules.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runCli } from '../../support/cli.ts';
import { serve, type TestServer } from './running.ts';

const SECRET = 'kraken-secret-4711-of-the-environment';
let cwd: string;
let server: TestServer;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'serve-'));
  writeFileSync(join(cwd, 'config.yaml'), '# mine\ntrading:\n  feeBps: 10 # of my account\n');
  server = await serve(cwd, { EXCHANGE_API_SECRET: SECRET });
});
afterAll(async () => {
  await server.kill('SIGKILL');
  rmSync(cwd, { recursive: true });
});

describe('the token', () => {
  it('is of 256 random bits, another one at every start, and not in the address itself', () => {
    expect(server.token).toMatch(/^[\w-]{43}$/);
    expect(server.url).not.toContain(server.token);
  });

  it.each(['/api/overview', '/api/jobs', '/api/settings', '/api/secrets', '/api/live'])(
    'is needed for %s, in the header alone',
    async (path) => {
      expect((await server.ask(path, { token: null })).status).toBe(401);
      expect((await server.ask(`${path}?token=${server.token}`, { token: null })).status).toBe(401);
      const headers = { cookie: `token=${server.token}` };
      expect((await server.ask(path, { token: null, headers })).status).toBe(401);
    },
  );

  it('is not needed to ask whether the server lives', async () => {
    expect((await server.ask('/api/health', { token: null })).json()).toMatchObject({ status: 'ok' });
  });

  it('cannot be guessed often, and who has it is answered all the same', async () => {
    const statuses = new Set<number>();
    for (let guess = 0; guess < 30; guess++)
      statuses.add((await server.ask('/api/overview', { token: `guess-${guess}` })).status);
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await server.ask('/api/overview')).status).toBe(200);
  });
});

describe('another site', () => {
  it('whose name was made to resolve to this machine is told so, whatever else it knows', async () => {
    const { port } = new URL(server.url);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${port}`,
    ]) {
      const answer = await server.ask('/api/overview', { headers: { host } });
      expect([host, answer.status]).toEqual([host, 421]);
    }
    const page = await server.ask('/', { headers: { host: `evil.example:${port}` } });
    expect(page.status).toBe(421);
    for (const host of [`localhost:${port}`, `[::1]:${port}`])
      expect((await server.ask('/api/overview', { headers: { host } })).status).toBe(200);
  });

  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('is not answered: %o', async (headers) => {
    expect((await server.ask('/api/overview', { headers: { ...headers } })).status).toBe(403);
  });

  it('cannot start a job with a form, with the token or without', async () => {
    const raw = '{"kind":"verify"}';
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
    for (const type of types) {
      const form = { method: 'POST', raw, headers: { 'content-type': type } };
      expect((await server.ask('/api/jobs', { ...form, token: null })).status).toBe(401);
      expect((await server.ask('/api/jobs', form)).status).toBe(415);
    }
    expect((await server.ask('/api/jobs')).json()).toEqual({ jobs: [] });
  });

  it('is given leave by no answer (CORS), asked before or not', async () => {
    const headers = {
      origin: server.url.slice(0, -1),
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await server.ask('/api/overview', { method, headers });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('every answer', () => {
  it.each(['/', '/api/overview', '/api/nowhere', '/nowhere', '/api/openapi.json'])(
    'forbids scripts from elsewhere, frames and guessing of types: %s',
    async (path) => {
      const { headers } = await server.ask(path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );
});

describe('paths', () => {
  it.each([
    '/../package.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/../../../../package.json',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/..%5c..%5cpackage.json',
    '/assets//etc/passwd',
    '/%00',
    '//etc/passwd',
  ])('lead out of no folder: %s', async (path) => {
    const { status, text } = await server.ask(path);
    expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/devDependencies|root:/);
  });

  it.each([
    '/api/runs/..%2f..%2fetc/training',
    '/api/backtests/..%2F..%2Fconfig.yaml',
    '/api/paper/..%2f..',
    '/api/jobs/..%2f..%2fconfig.yaml/result',
    '/api/jobs/%2e%2e/result',
    '/api/candles?exchange=..%2f..&symbol=BTC/USDT&timeframe=1h',
    '/api/candles?exchange=binance&symbol=../..&timeframe=1h',
    '/api/candles?exchange=binance&symbol=BTC/USDT&timeframe=../..',
  ])('inside the API lead nowhere: %s', async (path) => {
    expect([400, 404]).toContain((await server.ask(path)).status);
  });

  it('and names that are markup come back as JSON, which no browser runs', async () => {
    const markup = '<script>alert(1)</script>';
    const answer = await server.ask(
      `/api/candles?exchange=x&timeframe=1h&symbol=${encodeURIComponent(markup)}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const job = await server.ask('/api/jobs', {
      method: 'POST',
      body: { kind: 'fetch', symbols: [`${markup}/USDT`] },
    });
    expect(job.status).toBe(400);
    expect(job.text).toContain('Cannot read symbol');
  });
});

describe('bodies', () => {
  it('that are too large are refused, with a length or without', async () => {
    const raw = JSON.stringify({ kind: 'verify', settings: { 'a.b': 'x'.repeat(300_000) } });
    const headers = { 'content-type': 'application/json' };
    expect((await server.ask('/api/jobs', { method: 'POST', raw, headers })).status).toBe(413);
    const chunked = { ...headers, 'transfer-encoding': 'chunked', 'content-length': '' };
    const socket = await opened(new URL(server.url).port);
    socket.write(
      `POST /api/jobs HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nAuthorization: Bearer ${server.token}\r\nContent-Type: ${chunked['content-type']}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let part = 0; part < 5; part++)
      socket.write(`${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`);
    socket.write('0\r\n\r\n');
    expect(await firstLine(socket)).toContain('413');
  });

  it.each(['', '{', '[]', 'null', '"x"', '{"kind":"rm -rf"}', '{"kind":"train","--run":"x"}'])(
    'that are no request are refused: %s',
    async (raw) => {
      const headers = { 'content-type': 'application/json' };
      expect((await server.ask('/api/jobs', { method: 'POST', raw, headers })).status).toBe(400);
    },
  );
});

describe('a client that takes its time', () => {
  it('is let go, a thousand of them too, and others are answered meanwhile', async () => {
    const folder = temporaryFolder();
    const own = await startServer({
      sources: {
        file: join(folder, 'config.yaml'),
        fileRequired: false,
        environment: { CRYPTO_TRADER_DATA_DIR: folder },
        flags: {},
      },
      program: { bin: '/nowhere', globals: [], folder },
      webFolder: undefined,
      host: '127.0.0.1',
      port: 0,
      allowHosts: [],
      password: undefined,
      log: silentLog,
      patience: { headersMs: 500, requestMs: 1000 },
    });
    try {
      const { port, host } = new URL(own.url);
      const sockets: Socket[] = [];
      for (let i = 0; i < 1000; i++) sockets.push(await opened(port));
      const slow = await opened(port);
      slow.write(
        `POST /api/jobs HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${own.token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
      );
      const health = await fetch(`${own.url}api/health`);
      expect(health.status).toBe(200);
      for (const socket of [...sockets, slow]) if (!socket.closed) await once(socket, 'close');
    } finally {
      await own.close();
    }
  });
});

describe('settings', () => {
  it('are written as `config set` does, with their comments, and checked first', async () => {
    const put = (path: string, value: unknown) =>
      server.ask(`/api/settings/${path}`, { method: 'PUT', body: { value } });
    expect((await put('trading.feeBps', 7.5)).json()).toMatchObject({
      setting: 'trading.feeBps',
      value: 7.5,
    });
    expect(readFileSync(join(cwd, 'config.yaml'), 'utf8')).toBe(
      '# mine\ntrading:\n  feeBps: 7.5 # of my account\n',
    );
    const wrong = await put('trading.feeBps', -5);
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('feeBps');
    const all = (await server.ask('/api/settings')).json();
    expect(all).toMatchObject({ file: 'config.yaml' });
    expect((await server.ask('/api/settings/trading.feeBps', { method: 'DELETE' })).json()).toMatchObject({
      value: 10,
    });
  });

  it('that name an address are none for the web, nor is what holds one', () => {
    const addresses = configLeaves(configJsonSchema());
    expect(addresses).toContain('series.glassnodeUrl');
    expect(addresses).toContain('text.x.url');
    for (const path of addresses) {
      const around = path.split('.').map((_, i, all) => all.slice(0, i + 1).join('.'));
      expect(around.filter(writable)).toEqual([]);
    }
  });

  // `series.custom` sends any variable of the environment as a header; `execution.dryRun` is what holds orders back.
  it.each([
    'exchange.mode',
    'exchange',
    'exchange.baseUrl',
    'plugins',
    'dataDir',
    'fetch.yahooUrl',
    'execution.dryRun',
    'series.custom',
    'text.feeds',
    'notifiers',
    'telegram.commands',
  ])('that decide on money, files or addresses are not for the web: %s', async (path) => {
    expect(writable(path)).toBe(false);
    const answer = await server.ask(`/api/settings/${path}`, { method: 'PUT', body: { value: 'live' } });
    expect(answer.status).toBe(400);
    const settings = { [path === 'exchange' ? 'exchange.mode' : path]: 'live' };
    const job = await server.ask('/api/jobs', { method: 'POST', body: { kind: 'verify', settings } });
    expect(job.status).toBe(400);
  });
});

describe('secrets', () => {
  it('go in, and never come out', async () => {
    const value = 'telegram-token-0815-of-the-web';
    const put = await server.ask('/api/secrets/NOTIFY_TELEGRAM_TOKEN', { method: 'PUT', body: { value } });
    expect(put.json()).toEqual({ name: 'NOTIFY_TELEGRAM_TOKEN', set: true });
    const file = join(cwd, '.env');
    expect(readFileSync(file, 'utf8')).toBe(`NOTIFY_TELEGRAM_TOKEN='${value}'\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const states = await server.ask('/api/secrets');
    expect(states.text).toContain('"name":"EXCHANGE_API_SECRET","about":"Its secret","set":true');
    // Whatever echoes what was sent does not echo these.
    const echo = await server.ask(`/api/settings/trading.${SECRET}`, { method: 'PUT', body: { value: 1 } });
    const echo2 = await server.ask(`/api/paper/${value}`);
    for (const { text } of [states, echo, echo2, await server.ask('/api/settings')]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(value);
    }
  });

  it('are those that the program knows, and on one line', async () => {
    const put = (name: string, value: string) =>
      server.ask(`/api/secrets/${name}`, { method: 'PUT', body: { value } });
    expect((await put('PATH', '/evil')).status).toBe(400);
    expect((await put('CRYPTO_TRADER_EXCHANGE_MODE', 'live')).status).toBe(400);
    expect((await put('EXCHANGE_API_KEY', 'a\nCRYPTO_TRADER_EXCHANGE_MODE=live')).status).toBe(400);
  });
});

describe('the command', () => {
  it('refuses an address that other machines reach without names and a password', async () => {
    const folder = temporaryFolder();
    const bare = await runCli(['serve', '--host', '0.0.0.0', '--port', '0'], { cwd: folder });
    expect([bare.status, bare.stderr]).toEqual([1, expect.stringContaining('--allow-host')]);
    const named = ['serve', '--host', '0.0.0.0', '--port', '0', '--allow-host', 'trader.lan:1'];
    const open = await runCli(named, { cwd: folder, environment: { SERVE_PASSWORD: 'short' } });
    expect([open.status, open.stderr]).toEqual([1, expect.stringContaining('SERVE_PASSWORD is too short')]);
  });

  it('serves a project once', async () => {
    const second = await runCli(['serve', '--port', '0'], { cwd });
    expect([second.status, second.stderr]).toEqual([
      1,
      expect.stringContaining('already serving this project'),
    ]);
  });
});

describe('a bucket', () => {
  it('gives what it holds at once, then as fast as it fills', () => {
    let now = 0;
    const bucket = createBucket({ burst: 3, perSecond: 2 }, () => now);
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
    now = 500;
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
    now = 60_000;
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  });
});

async function opened(port: string): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

const firstLine = (socket: Socket): Promise<string> =>
  new Promise((done, fail) => {
    socket.pause();
    socket.setEncoding('utf8').once('data', (text: string) => done(text.split('\r\n')[0]));
    socket.once('close', () => fail(new Error('closed without an answer')));
    socket.resume();
  });

/** Paths of the settings that are addresses. */
function configLeaves(
  { format, properties = {} }: JsonSchema,
  path: readonly string[] = [],
): readonly string[] {
  if (format === 'uri') return [path.join('.')];
  return Object.entries(properties).flatMap(([name, inside]) => configLeaves(inside, [...path, name]));
}
