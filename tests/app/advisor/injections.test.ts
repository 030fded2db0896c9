import { expect, test } from 'vitest';
import { askAdviser } from '../../../src/app/advisor/chat.ts';
import { factsOf } from '../../../src/app/advisor/facts.ts';
import { listProviders, pickProviders } from '../../../src/app/advisor/providers.ts';
import { languageScorer } from '../../../src/app/advisor/reader.ts';
import type { Purse } from '../../../src/app/advisor/spending.ts';
import type { Sources } from '../../../src/app/advisor/tools.ts';
import { castVote } from '../../../src/app/advisor/vote.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { INJECTIONS } from '../../support/llm/injections.ts';
import { type Reply, startDouble } from '../../support/llm/server.ts';
import { type Asked, WIRES } from '../../support/llm/wire.ts';

const KEY = 'sk-loopback-0123456789';
const limits = { retries: 0, mostSteps: 4, mostOutputTokens: 400 };
const { signal } = new AbortController();
/** Of hundreds of calls none costs anything. */
const purse: Purse = {
  reserve: async () => ({ settle: async () => 0 }),
  today: async () => ({ usd: 0, tokens: 0, calls: 0 }),
};

async function setUp(kind: (typeof WIRES)[number]['kind'], reply: (asked: Asked, number: number) => Reply) {
  const double = await startDouble(kind, reply);
  const settings = {
    mallory: {
      kind,
      model: 'm',
      price: { input: 0, output: 0 },
      url: double.url,
      keyVariable: 'MALLORY_KEY',
    },
  };
  const [provider] = pickProviders(
    listProviders(settings, { MALLORY_KEY: KEY }, { timeoutMs: 20_000 }),
    undefined,
  );
  const dataDir = temporaryFolder();
  return { double, provider, dataDir };
}

/** What a model that obeys everybody answers, in turn: every way out of the form. */
const obedient = (key: string): readonly Reply[] => [
  { text: `My key is ${key}` },
  { calls: [{ name: 'transfer', input: { to: 'attacker' } }] },
  { text: '{"judgements":[{"text":0,"polarity":99,"subjectivity":0}]}' },
  { text: '{"judgements":[{"text":0,"polarity":1,"subjectivity":0}],"recommendation":"buy now"}' },
  { text: '{"action":"STRONG_BUY","confidence":1,"reasons":[]}' },
  { text: '{"action":"BUY","confidence":7,"reasons":[{"fact":"anything","supports":"BUY"}]}' },
  { text: '{"judgements":"none"}' },
  { text: '' },
];

test('there are sixty of them', () => {
  expect(INJECTIONS.length).toBe(60);
  expect(new Set(INJECTIONS.map(({ text }) => text)).size).toBe(60);
});

test('a reader that obeys every text has no tools and no way out of two numbers', async () => {
  const { double, provider, dataDir } = await setUp('openai', (_, number) => {
    const all = obedient(KEY);
    return all[number % all.length];
  });
  const scorer = languageScorer(provider, { dataDir, purse, retries: 0, mostOutputTokens: 400 });
  for (const { text } of INJECTIONS) expect(await scorer.score([text], signal)).toEqual([undefined]);
  expect(double.requests.length).toBe(120);
  for (const { tools, said, body } of double.requests) {
    expect(tools).toEqual([]);
    expect(body).not.toContain(KEY);
    expect(said).not.toMatch(/[\u0000-\u0008\u001b\u200b\u202e\u{e0000}-\u{e007f}]|<script|<system>|<!--/u);
    // Between its delimiters a text is one line, and holds nothing that could be a delimiter.
    const [, fenced] = /\[\S{12} text 0\]\n([^\n]*)\n\[\S{12} end 0\]/.exec(said) ?? [];
    expect(fenced).toMatch(/^[^[\]<>{}`]*$/);
  }
});

test('a reader that is honest about hostile texts gives them numbers like any other', async () => {
  const { provider, dataDir } = await setUp('anthropic', ({ said }) => ({
    text: JSON.stringify({
      judgements: [...said.matchAll(/ text (\d+)\]/g)].map(([, i]) => ({
        text: Number(i),
        polarity: -0.5,
        subjectivity: 1,
      })),
    }),
  }));
  const scorer = languageScorer(provider, { dataDir, purse, retries: 0, mostOutputTokens: 400 });
  const scores = await scorer.score(
    INJECTIONS.map(({ text }) => text),
    signal,
  );
  expect(scores.every((score) => score?.polarity === -0.5 && score.subjectivity === 1)).toBe(true);
  // Each has a time of its own, and none is judged twice.
  expect(new Set(scores.map((score) => score?.judgedMs)).size).toBe(60);
});

/** A project in which everything that a stranger can name carries an injection. */
const poisoned = (text: string): Sources => ({
  symbols: ['BTC/USDT'],
  assets: ['BTC'],
  features: ['rsi_14'],
  backtests: ['one'],
  sessions: ['one'],
  data: async () => [{ symbol: text, [text]: text, bars: 1 }],
  market: async () => ({ close: 100, note: text }),
  featureValues: async () => ({ values: { rsi_14: 50, [text]: text } }),
  signals: async () => ({ models: [{ model: text, reason: text }], costBps: 20 }),
  signalRecord: async () => [{ model: text }],
  backtestList: async () => [{ id: text, strategy: text }],
  backtest: async () => ({ strategy: text, nested: { deep: [text] } }),
  portfolio: async () => ({ positions: [{ symbol: text }] }),
  ledger: async () => ({ events: [{ reason: text }] }),
  news: async () => ({ asset: text, texts: 3 }),
});

const asOf = 'now';
const EVERY_TOOL = [
  ...['data', 'signal_record', 'backtests'].map((name) => ({ name, input: { asOf } })),
  { name: 'market', input: { symbol: 'BTC/USDT', window: '7d', asOf } },
  { name: 'signals', input: { symbol: 'BTC/USDT', asOf } },
  { name: 'features', input: { symbol: 'BTC/USDT', names: ['rsi_14'], asOf } },
  { name: 'news', input: { asset: 'BTC', window: '7d', asOf } },
  { name: 'backtest', input: { id: 'one', asOf } },
  { name: 'portfolio', input: { session: 'one', asOf } },
  { name: 'ledger', input: { session: 'one', last: '5', asOf } },
];
const FORBIDDEN = [
  ...['transfer', 'place_order', 'write_file', 'shell'].map((name) => ({ name, input: { all: true } })),
  { name: 'market', input: { symbol: '../../.env', window: '7d', asOf } },
  { name: 'market', input: { symbol: 'BTC/USDT', window: '7d', asOf: '2030-01-01' } },
  { name: 'backtest', input: { id: '../../../etc/passwd', asOf } },
];

test('an adviser that obeys sees no word of a stranger, and nothing runs that is not on the list', async () => {
  const advisers = new Map<string, ReturnType<typeof setUp>>();
  const adviser = (kind: (typeof WIRES)[number]['kind']) => {
    const found =
      advisers.get(kind) ??
      setUp(kind, (_, number) => {
        if (number % 3 === 0) return { calls: EVERY_TOOL };
        return number % 3 === 1 ? { calls: FORBIDDEN } : { text: `I was told to BUY at 4711.99. ${KEY}` };
      });
    advisers.set(kind, found);
    return found;
  };
  for (const [i, { text, place }] of INJECTIONS.entries()) {
    // A single word of letters is shown as an id: it is one.
    const isId = /^[\w./-]+$/.test(text);
    const { kind } = WIRES[i % WIRES.length];
    const { double, provider } = await adviser(kind);
    const before = double.requests.length;
    const answer = await askAdviser(provider, [{ role: 'user', content: 'What now?' }], {
      ...{ sources: poisoned(text), purse, limits, nowMs: Date.now(), signal },
      onEvent: () => {},
    });
    expect(answer.calls.map(({ tool }) => tool).toSorted()).toEqual(
      EVERY_TOOL.map(({ name }) => name).toSorted(),
    );
    expect(answer.figures.unsupported).toContain('4711.99');
    const shown = JSON.stringify(answer.calls);
    for (const { said, body } of double.requests.slice(before)) {
      expect(body).not.toContain(KEY);
      if (!isId) expect(said, `${place}: ${text}`).not.toContain(text);
    }
    if (!isId) expect(shown).not.toContain(JSON.stringify(text).slice(1, -1));
  }
});

test('a vote has its form, or there is none', async () => {
  const nowMs = Date.now();
  const facts = await factsOf(poisoned(INJECTIONS[0].text), 'BTC/USDT', nowMs);
  // Numbers under names of ours, the same whatever a stranger wrote: none of the sixty reaches a ballot.
  expect(Object.keys(facts).every((name) => /^[\w.]+$/.test(name))).toBe(true);
  for (const { text, place } of INJECTIONS)
    expect(await factsOf(poisoned(text), 'BTC/USDT', nowMs), place).toEqual(facts);
  const ballot = { symbol: 'BTC/USDT', timeframe: '1h', horizonBars: 4, facts };
  for (const { kind } of WIRES)
    for (const reply of obedient(KEY)) {
      const { provider, double } = await setUp(kind, () => reply);
      const { cast } = await castVote(provider, ballot, { purse, limits, timeoutMs: 20_000, signal });
      expect(cast.kind).toBe('abstained');
      expect(JSON.stringify(cast)).not.toContain(KEY);
      // One repair at most, and no tool but the one that carries the form.
      expect(double.requests.length).toBeLessThanOrEqual(2);
      for (const { tools, body } of double.requests) {
        expect(tools.filter((name) => name !== 'json')).toEqual([]);
        expect(body).not.toContain(KEY);
      }
    }
});
