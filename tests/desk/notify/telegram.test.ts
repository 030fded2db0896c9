import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../../src/core/foundation/log.ts';
import { createCommands, type Desk } from '../../../src/desk/notify/commands.ts';
import { listenToTelegram } from '../../../src/desk/notify/telegram.ts';
import { startTelegram } from '../../support/telegram.ts';

const TOKEN = '123:secret-token';
const CHAT = 42;

let telegram: Awaited<ReturnType<typeof startTelegram>>;
let stop: AbortController;
let listening: Promise<void>;
let clock: number;
let lines: string[];
let done: string[];

const desk: Desk = {
  sessions: async () => ['paper/binance-1h', 'live/binance-1h', 'paper/other'],
  status: async () => 'two sessions',
  positions: async () => 'nothing is held',
  signals: async () => 'BTC/USDT: wants 50 %',
  control: async (session, mode) => {
    done.push(`${mode} ${session}`);
    return `${session} ${mode} done`;
  },
};

const keep = (_: object, text: string): void => void lines.push(text);
const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

function listen({ mayControl = true } = {}): void {
  const channel = {
    kind: 'telegram',
    apiUrl: telegram.url,
    botToken: TOKEN,
    chatId: String(CHAT),
  } as const;
  const now = () => clock;
  const answer = createCommands(desk, { mayControl, now });
  const { signal } = stop;
  listening = listenToTelegram({ channel, answer, log, signal, now, retryMs: 1 });
}

beforeEach(async () => {
  telegram = await startTelegram({ token: TOKEN, chat: CHAT });
  stop = new AbortController();
  clock = Date.now();
  [lines, done] = [[], []];
});
afterEach(async () => {
  stop.abort();
  await listening;
  await telegram.close();
});

const codeIn = (text: string): string => /\/confirm (\d{6})/.exec(text)?.[1] ?? '';

describe('the chat that is configured', () => {
  it.each([
    ['/status', 'two sessions'],
    ['/positions@our_bot', 'nothing is held'],
    ['/signals', 'BTC/USDT: wants 50 %'],
    ['/buy', 'Unknown command. /help lists them.'],
    ['/resume', 'Unknown command. /help lists them.'],
    ['/pause', 'Say which session. paper/binance-1h, live/binance-1h, paper/other'],
    ['/pause binance-1h', 'Say which session. paper/binance-1h, live/binance-1h'],
    ['/pause othr', 'There is no session "othr". Known: paper/binance-1h, live/binance-1h, paper/other.'],
    ['/confirm 123456', 'There is nothing to confirm: ask again.'],
  ])('asks %s', async (command, answer) => {
    listen();
    expect(await telegram.write(command)).toContain(answer);
    expect(done).toEqual([]);
  });

  it('pauses and flattens after a code, once', async () => {
    listen();
    const asked = await telegram.write('/flatten other');
    expect(asked).toMatch(/^Flatten paper\/other\? Confirm within a minute: \/confirm \d{6}$/);
    expect(done).toEqual([]);
    expect(await telegram.write(`/confirm ${codeIn(asked)}`)).toBe('paper/other flatten done');
    expect(await telegram.write(`/confirm ${codeIn(asked)}`)).toContain('nothing to confirm');
    const pause = await telegram.write('/pause live/binance-1h');
    await telegram.write(`/confirm ${codeIn(pause)}`);
    expect(done).toEqual(['flatten paper/other', 'pause live/binance-1h']);
  });

  it('has one attempt at a code, and a minute', async () => {
    listen();
    const first = codeIn(await telegram.write('/pause other'));
    expect(await telegram.write('/confirm 1')).toContain('not the code');
    expect(await telegram.write(`/confirm ${first}`)).toContain('nothing to confirm');
    const second = codeIn(await telegram.write('/pause other'));
    clock += 61_000;
    expect(await telegram.write(`/confirm ${second}`)).toContain('nothing to confirm');
    expect(done).toEqual([]);
  });

  it('of a group may ask, and do nothing', async () => {
    listen();
    expect(await telegram.write('/status', { type: 'group' })).toBe('two sessions');
    expect(await telegram.write('/pause other', { type: 'group' })).toContain('Not in a group');
    const code = codeIn(await telegram.write('/pause other'));
    expect(await telegram.write(`/confirm ${code}`, { type: 'group' })).toContain('nothing is done');
    expect(done).toEqual([]);
  });

  it('may do nothing where settings allow questions alone', async () => {
    listen({ mayControl: false });
    expect(await telegram.write('/pause other')).toContain('telegram.commands');
    expect(await telegram.write('/help')).not.toContain('flatten');
  });
});

it('nobody else is answered, nor what is old, no command, or no message', async () => {
  listen();
  const message = (chat: number, text: string, date = Math.floor(Date.now() / 1000)) => ({
    message: { date, chat: { id: chat, type: 'private' }, text },
  });
  telegram.push(message(CHAT + 1, '/status'));
  telegram.push(message(-CHAT, '/flatten other'));
  telegram.push(message(CHAT, '/status', Math.floor(Date.now() / 1000) - 3600));
  telegram.push(message(CHAT, 'hello'));
  telegram.push({ edited_message: message(CHAT, '/status').message });
  telegram.push({ message: 7 });
  expect(await telegram.write('/positions')).toBe('nothing is held');
  expect(telegram.said).toEqual(['nothing is held']);
});

it('what Telegram answers instead does not end it, and its token is in no line', async () => {
  telegram.plan((response) => void response.writeHead(502).end('<html>'));
  telegram.plan((response) => void response.end('{"ok":true,"result":'));
  telegram.plan((response) => void response.destroy());
  telegram.plan((response) => void response.writeHead(409).end('{"ok":false}'));
  telegram.plan(
    (response) => void response.end(JSON.stringify({ ok: true, result: [null, { update_id: 'x' }] })),
  );
  telegram.plan((response) => void response.end(Buffer.alloc(2 ** 20 + 1, 32)));
  listen();
  expect(await telegram.write('/status')).toBe('two sessions');
  expect(telegram.questions()).toBeGreaterThanOrEqual(7);
  expect(lines.join('\n')).not.toContain('secret-token');
  expect(lines.filter((line) => line.startsWith('telegram commands: '))[0]).toBe(
    'telegram commands: Telegram answered 502',
  );
});

it('a message is answered once, and a stop does not wait for Telegram', async () => {
  listen();
  await telegram.write('/status');
  await telegram.write('/signals');
  await telegram.until(() => telegram.questions() >= 3);
  expect(telegram.said).toEqual(['two sessions', 'BTC/USDT: wants 50 %']);
  stop.abort();
  await listening;
});
