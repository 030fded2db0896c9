import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askAdviser, type ChatEvent } from '../../../src/app/advisor/chat.ts';
import { listProviders, pickProviders, type ProviderKind } from '../../../src/app/advisor/providers.ts';
import { openPurse } from '../../../src/app/advisor/spending.ts';
import type { Sources } from '../../../src/app/advisor/tools.ts';
import { boundedFetch } from '../../../src/app/advisor/transport.ts';
import { startTextServer } from '../../support/texts/server.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Reply, startDouble } from '../../support/llm/server.ts';
import { type Asked, WIRES } from '../../support/llm/wire.ts';

const KEY = 'sk-loopback-0123456789';
const NOW_MS = Date.UTC(2026, 1, 13, 12);

const sources: Sources = {
  symbols: ['BTC/USDT', 'ETH/USDT'],
  assets: [],
  features: ['rsi_14'],
  backtests: [],
  sessions: [],
  data: async () => [{ symbol: 'BTC/USDT', bars: 17_520 }],
  market: async (symbol, days) => ({ symbol, days, close: 68_120.37, returnPct: -3.218 }),
  featureValues: async () => ({ values: { rsi_14: 41.25 } }),
  signals: async () => ({}),
  signalRecord: async () => [],
  backtestList: async () => [],
  backtest: async () => ({}),
  portfolio: async () => ({}),
  ledger: async () => ({}),
  news: async () => ({}),
};

async function setUp(kind: ProviderKind, reply: (asked: Asked, number: number) => Reply, budget = BUDGET) {
  const double = await startDouble(kind, reply);
  const settings = {
    one: { kind, model: 'double', price: { input: 2, output: 10 }, url: double.url, keyVariable: 'ONE_KEY' },
  };
  const [provider] = pickProviders(listProviders(settings, { ONE_KEY: KEY }, { timeoutMs: 20_000 }), ['one']);
  const purse = openPurse(temporaryFolder(), budget, () => NOW_MS);
  const events: ChatEvent[] = [];
  const ask = (question: string, signal = new AbortController().signal) =>
    askAdviser(provider, [{ role: 'user', content: question }], {
      sources,
      purse,
      limits: { retries: 2, mostSteps: 4, mostOutputTokens: 500 },
      nowMs: NOW_MS,
      signal,
      onEvent: (event) => events.push(event),
    });
  return { double, purse, events, ask };
}

const BUDGET = { usdPerDay: 1, tokensPerDay: 1_000_000 };
/** One call of a tool, then an answer. */
const market = { name: 'market', input: { symbol: 'BTC/USDT', window: '7d', asOf: 'now' } };

describe.each(WIRES.map(({ kind }) => kind))('a provider of kind %s', (kind) => {
  test('streams an answer whose figures are those that its tools returned, and is paid for each call', async () => {
    const { ask, events, double, purse } = await setUp(kind, (asked) =>
      asked.toolResults === 0
        ? { calls: [market], tokens: { input: 900, output: 30 } }
        : {
            text: 'BTC closed at 68,120 after -3.2 % in 7 days. It will gain 12 %.',
            tokens: { input: 1100, output: 70 },
          },
    );
    const answer = await ask('How did BTC do?');
    expect(answer.text).toBe('BTC closed at 68,120[1] after -3.2[1] % in 7[1] days. It will gain 12[?] %.');
    expect(answer.figures).toEqual({ cited: 3, unsupported: ['12'] });
    expect(answer.calls).toEqual([
      {
        tool: 'market',
        input: market.input,
        result: {
          asOf: '2026-02-13T12:00:00.000Z',
          symbol: 'BTC/USDT',
          days: 7,
          close: 68_120.4,
          returnPct: -3.218,
        },
      },
    ]);
    expect(answer.cut).toBeUndefined();
    // 2000 tokens in at 2 USD and 100 out at 10 USD a million.
    expect(answer.spent).toMatchObject({ tokens: { input: 2000, output: 100 }, calls: 2 });
    expect(answer.spent.usd).toBeCloseTo(0.005, 9);
    expect(await purse.today()).toEqual({ usd: answer.spent.usd, tokens: 2100, calls: 2 });
    expect(events.filter((event) => event.kind === 'text').length).toBeGreaterThan(3);
    expect(double.requests.every(({ stream }) => stream)).toBe(true);
    expect(new Set(double.requests.flatMap(({ tools }) => tools))).toEqual(
      new Set(['data', 'signal_record', 'market', 'signals', 'features']),
    );
    const sent = double.requests.flatMap(({ headers }) => Object.values(headers).flat());
    expect(sent.some((value) => value?.includes(KEY))).toBe(true);
  });

  test('is asked again after 429 and 503, and no further than it was told', async () => {
    const busy = { status: 429, headers: { 'retry-after-ms': '5' } };
    const { ask, double, purse } = await setUp(kind, (_, number) =>
      number === 0
        ? busy
        : number === 1
          ? { status: 503, headers: { 'retry-after-ms': '5' } }
          : { text: 'Calm.' },
    );
    expect((await ask('?')).text).toBe('Calm.');
    expect(double.requests.length).toBe(3);
    // Refused calls cost nothing.
    expect((await purse.today()).tokens).toBe(120);
    const never = await setUp(kind, () => busy);
    await expect(never.ask('?')).rejects.toThrow(/^one \(double\) did not answer: status 429/);
    expect(never.double.requests.length).toBe(3);
  });

  test('says what is wrong with a key, and does not show it', async () => {
    const { ask, double } = await setUp(kind, () => ({ status: 401, message: 'invalid x-api-key' }));
    await expect(ask('?')).rejects.toThrow(/status 401: invalid x-api-key/);
    expect(double.requests.length).toBe(1);
  });
});

test('a call that the budget of the day does not hold is never sent', async () => {
  const { ask, double } = await setUp('compatible', () => ({ text: 'Hello.' }), {
    usdPerDay: 0.001,
    tokensPerDay: 1_000_000,
  });
  await expect(ask('?')).rejects.toThrow(/budget for language models does not hold this call/);
  expect(double.requests.length).toBe(0);
  const tokens = await setUp('compatible', () => ({ text: 'Hello.' }), { usdPerDay: 1, tokensPerDay: 100 });
  await expect(tokens.ask('?')).rejects.toThrow(/0 tokens used/);
});

test('a call whose end nobody saw counts in full', async () => {
  const { ask, purse } = await setUp('compatible', () => ({ broken: 'half' }));
  await expect(ask('?')).rejects.toThrow();
  const { usd, calls } = await purse.today();
  expect(calls).toBeGreaterThan(0);
  expect(usd).toBeGreaterThan(calls * 0.005);
});

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a call that reached nobody costs nothing', async () => {
  const nobody = { kind: 'compatible', model: 'm', price: { input: 9, output: 9 } } as const;
  const settings = { gone: { ...nobody, url: `http://127.0.0.1:${await freePort()}/v1` } };
  const [provider] = pickProviders(listProviders(settings, {}, { timeoutMs: 20_000 }), undefined);
  const purse = openPurse(temporaryFolder(), BUDGET, () => NOW_MS);
  const limits = { retries: 0, mostSteps: 1, mostOutputTokens: 10 };
  const { signal } = new AbortController();
  const asked = askAdviser(provider, [{ role: 'user', content: '?' }], {
    ...{ sources, purse, limits, nowMs: NOW_MS, signal },
    onEvent: () => {},
  });
  await expect(asked).rejects.toThrow(/gone \(m\) did not answer: Cannot connect/);
  expect((await purse.today()).usd).toBe(0);
});

test('a provider that stays silent is given up after its time-out', async () => {
  const double = await startDouble('compatible', () => ({ broken: 'silent' }));
  const settings = {
    slow: { kind: 'compatible', model: 'm', price: { input: 0, output: 0 }, url: double.url },
  } as const;
  const [provider] = pickProviders(listProviders(settings, {}, { timeoutMs: 50 }), undefined);
  const asked = askAdviser(provider, [{ role: 'user', content: '?' }], {
    sources,
    purse: openPurse(temporaryFolder(), BUDGET),
    limits: { retries: 0, mostSteps: 1, mostOutputTokens: 10 },
    nowMs: NOW_MS,
    signal: new AbortController().signal,
    onEvent: () => {},
  });
  await expect(asked).rejects.toThrow(/slow \(m\) did not answer: no answer within 0.05 s/);
});

test('Ctrl-C ends a question with its own reason', async () => {
  const interrupt = new AbortController();
  const { ask } = await setUp('compatible', () => {
    interrupt.abort(new Error('interrupted'));
    return { broken: 'silent' };
  });
  await expect(ask('?', interrupt.signal)).rejects.toThrow('interrupted');
});

test('providers without a key, an address or a setting are absent by name', () => {
  const price = { input: 1, output: 1 };
  const entries = listProviders(
    { a: { kind: 'anthropic', model: 'm', price }, local: { kind: 'compatible', model: 'm', price } },
    { ANTHROPIC_API_KEY: ' ' },
    { timeoutMs: 1000 },
  );
  expect(entries.map((entry) => [entry.id, entry.state === 'absent' ? entry.why : 'ready'])).toEqual([
    ['a', 'ANTHROPIC_API_KEY is not set'],
    ['local', 'advisor.providers.local.url is not set'],
    ['openai', 'advisor.providers names no provider of kind openai (its key: OPENAI_API_KEY)'],
    ['google', 'advisor.providers names no provider of kind google (its key: GOOGLE_GENERATIVE_AI_API_KEY)'],
  ]);
  expect(() => pickProviders(entries, undefined)).toThrow('No language model is set up.');
  expect(() => pickProviders(entries, ['a'])).toThrow(
    'The provider "a" is not ready: ANTHROPIC_API_KEY is not set.',
  );
  expect(() => pickProviders(entries, ['opnai'])).toThrow('Unknown provider "opnai".');
});

test('an answer that never ends is cut, and so is a redirect', async () => {
  const flood = createHttpServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const piece = `: ${'x'.repeat(65_536)}\n\n`;
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more).on('error', () => {});
    more();
  }).listen(0, '127.0.0.1');
  await once(flood, 'listening');
  onTestFinished(() => {
    flood.closeAllConnections();
    flood.close();
  });
  const { port } = flood.address() as AddressInfo;
  const get = boundedFetch({ timeoutMs: 20_000 });
  await expect(get(`http://127.0.0.1:${port}/`).then((response) => response.text())).rejects.toThrow(
    'an answer of more than 4 MiB',
  );
  const moved = await startTextServer(() => ({ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }));
  await expect(get(moved.url)).rejects.toThrow();
  expect(moved.requests.length).toBe(1);
});
