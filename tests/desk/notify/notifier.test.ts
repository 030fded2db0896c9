import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Log } from '../../../src/core/foundation/log.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { type HttpChannel, requestOf } from '../../../src/desk/notify/channel.ts';
import { createNotifier } from '../../../src/desk/notify/notifier.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An HTTP server that answers the n-th request with the n-th status, then 200; `hang`: it never answers. */
async function receiver(statuses: readonly (number | 'hang')[] = [], headers: Record<string, string> = {}) {
  const received: Received[] = [];
  let arrived = (): void => undefined;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const status = statuses[received.length] ?? 200;
      received.push({ path: request.url ?? '', headers: request.headers, body });
      if (status !== 'hang') response.writeHead(status, headers).end('ok');
      arrived();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${address.port}/secret-path`,
    received,
    /** Resolves when `count` requests have come. */
    until: async (count: number): Promise<void> => {
      while (received.length < count) await new Promise<void>((next) => (arrived = next));
    },
  };
}

const open = (
  channels: readonly HttpChannel[],
  options: { readonly log?: Log; readonly requestTimeoutMs?: number } = {},
) =>
  createNotifier(channels, {
    title: 'paper binance-1h',
    log: silentLog,
    batchMs: 5,
    requestTimeoutMs: 30_000,
    attempts: 4,
    retryMs: 1,
    ...options,
  });
const loud = (text: string) => ({ text, silent: false });

describe('a message as each service takes it', () => {
  const message = { title: 'Paper ü', text: 'bought <1> & @everyone', silent: true };
  it.each<[HttpChannel, string, unknown]>([
    [
      { kind: 'webhook', url: 'https://h/x' },
      'https://h/x',
      { title: 'Paper ü', text: 'bought <1> & @everyone', silent: true },
    ],
    [
      { kind: 'discord', url: 'https://h/x' },
      'https://h/x',
      { content: 'Paper ü\nbought <1> & @everyone', allowed_mentions: { parse: [] }, flags: 4096 },
    ],
    [
      { kind: 'slack', url: 'https://h/x' },
      'https://h/x',
      { text: 'Paper ü\nbought &lt;1&gt; &amp; @everyone', mrkdwn: false },
    ],
    [
      { kind: 'telegram', apiUrl: 'https://t', botToken: '1:a', chatId: '-5' },
      'https://t/bot1:a/sendMessage',
      {
        chat_id: '-5',
        text: 'Paper ü\nbought <1> & @everyone',
        disable_notification: true,
        link_preview_options: { is_disabled: true },
      },
    ],
  ])('%o', (channel, url, body) => {
    const request = requestOf(channel, message);
    expect({ url: request.url, body: JSON.parse(request.body) as unknown }).toEqual({ url, body });
  });

  it('ntfy: text in the body, the title in a header that takes ASCII only', () => {
    const request = requestOf({ kind: 'ntfy', url: 'https://n/topic', token: 'tk' }, message);
    expect(request).toEqual({
      url: 'https://n/topic',
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        title: 'Paper ?',
        priority: 'low',
        authorization: 'Bearer tk',
      },
      body: 'bought <1> & @everyone',
    });
  });

  it('is cut at a line where the service takes no more, and says how much is missing', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n');
    const { body } = requestOf({ kind: 'discord', url: 'https://h/x' }, { title: 'T', text, silent: false });
    const { content } = JSON.parse(body) as { content: string };
    expect(content.length).toBeLessThan(2000);
    const lines = content.split('\n');
    expect(lines.at(-1)).toBe(`... and ${1000 - (lines.length - 2)} more lines`);
  });
});

describe('notifications', () => {
  it('that come together go as one message, silent only when all of them are', async () => {
    const server = await receiver();
    const notifier = open([{ kind: 'webhook', url: server.url }]);
    notifier.notify({ text: 'one', silent: true });
    notifier.notify(loud('two'));
    await notifier.close(30_000);
    expect(server.received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { title: 'paper binance-1h', text: 'one\ntwo', silent: false },
    ]);
  });

  it('are sent again after 503 and 429, once each', async () => {
    const server = await receiver([503, 429], { 'retry-after': '0' });
    const notifier = open([{ kind: 'webhook', url: server.url }]);
    notifier.notify(loud('one'));
    await notifier.close(30_000);
    expect(server.received).toHaveLength(3);
    expect(new Set(server.received.map(({ body }) => body)).size).toBe(1);
  });

  it('that a service refuses are not sent again; the log says so without the address', async () => {
    const server = await receiver([404]);
    const lines: string[] = [];
    const log: Log = { ...silentLog, warn: (...args: unknown[]) => void lines.push(JSON.stringify(args)) };
    const notifier = open([{ kind: 'webhook', url: server.url }], { log });
    notifier.notify(loud('one'));
    await notifier.close(30_000);
    expect(server.received).toHaveLength(1);
    expect(lines.join()).toContain('webhook answered 404');
    const nowhere = open([{ kind: 'telegram', apiUrl: 'http://[', botToken: '123:secret', chatId: '1' }], {
      log,
    });
    nowhere.notify(loud('one'));
    await nowhere.close(30_000);
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toMatch(/secret/);
  });

  it('never make anybody wait: not for a service that hangs, and not at the end', async () => {
    const hanging = await receiver(['hang']);
    const other = await receiver();
    const notifier = open([
      { kind: 'webhook', url: hanging.url },
      { kind: 'webhook', url: other.url },
    ]);
    notifier.notify(loud('one'));
    await hanging.until(1);
    notifier.notify(loud('two'));
    await other.until(1);
    await notifier.close(1);
    expect(hanging.received).toHaveLength(1);
  });

  it('that wait too long are dropped from the oldest on, and the next message says how many', async () => {
    const server = await receiver(['hang']);
    const notifier = open([{ kind: 'webhook', url: server.url }], { requestTimeoutMs: 300 });
    notifier.notify(loud('first'));
    await server.until(1);
    for (let i = 0; i < 502; i++) notifier.notify(loud(`line ${i}`));
    await server.until(3);
    await notifier.close(30_000);
    const { text } = JSON.parse(server.received[2].body) as { text: string };
    expect(text.split('\n').slice(0, 2)).toEqual([
      '2 earlier lines were dropped while this channel did not answer.',
      'line 2',
    ]);
  });
});
