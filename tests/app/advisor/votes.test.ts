import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeVotes } from '../../../src/app/advisor/judge-votes.ts';
import { listProviders, pickProviders } from '../../../src/app/advisor/providers.ts';
import { openPurse } from '../../../src/app/advisor/spending.ts';
import { type Cast, castVote, consensusOf, promptHash, replayVote } from '../../../src/app/advisor/vote.ts';
import { keepVotes, readVotes, type VoteRecord } from '../../../src/app/advisor/vote-log.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Reply, startDouble } from '../../support/llm/server.ts';
import { WIRES } from '../../support/llm/wire.ts';

const limits = { retries: 1, mostOutputTokens: 400 };
const { signal } = new AbortController();
const ballot = {
  symbol: 'BTC/USDT',
  timeframe: '1h',
  horizonBars: 4,
  facts: { 'market_7d.returnPct': -3.2, 'features.values.rsi_14': 41 },
};
const GOOD = {
  action: 'SELL',
  confidence: 0.6,
  reasons: [{ fact: 'market_7d.returnPct', supports: 'SELL' }],
} as const;

async function voter(kind: (typeof WIRES)[number]['kind'], replies: readonly Reply[]) {
  const double = await startDouble(kind, (_, number) => replies[Math.min(number, replies.length - 1)]);
  const settings = {
    one: { kind, model: 'm', price: { input: 1, output: 1 }, url: double.url, keyVariable: 'A_KEY' },
  };
  const [provider] = pickProviders(
    listProviders(settings, { A_KEY: 'k-123456' }, { timeoutMs: 20_000 }),
    undefined,
  );
  const purse = openPurse(temporaryFolder(), { usdPerDay: 1, tokensPerDay: 1e9 });
  const cast = () => castVote(provider, ballot, { purse, limits, timeoutMs: 20_000, signal });
  return { double, provider, cast };
}

describe.each(WIRES.map(({ kind }) => kind))('a voter of kind %s', (kind) => {
  test('votes in the form that was asked for, and votes the same from its recording', async () => {
    const busy = { status: 503, headers: { 'retry-after-ms': '5' } };
    const { cast, provider, double } = await voter(kind, [busy, { text: JSON.stringify(GOOD) }]);
    const found = await cast();
    expect(found.cast).toEqual({ kind: 'vote', vote: GOOD, repaired: false });
    expect(found.promptSha256).toBe(promptHash(ballot));
    expect(found.usd).toBeCloseTo(120e-6, 12);
    expect(double.requests[1].said).toContain('features.values.rsi_14: 41');
    const { exchanges } = found;
    expect(await replayVote(provider, ballot, { exchanges, limits })).toEqual(found.cast);
    expect(double.requests.length).toBe(2);
    // Other figures were asked about than those that were recorded.
    const other = { ...ballot, facts: { ...ballot.facts, 'features.values.rsi_14': 42 } };
    await expect(replayVote(provider, other, { exchanges, limits })).resolves.toMatchObject({
      kind: 'abstained',
    });
  });

  test('is asked once more what its answer lacks, then abstains', async () => {
    const bad = { text: JSON.stringify({ ...GOOD, confidence: 70 }) };
    const repaired = await voter(kind, [bad, { text: JSON.stringify(GOOD) }]);
    expect((await repaired.cast()).cast).toEqual({ kind: 'vote', vote: GOOD, repaired: true });
    expect(repaired.double.requests[1].said).toContain(
      'Your answer was not valid: "confidence": expected at most 1',
    );
    const stubborn = await voter(kind, [bad]);
    const { cast, exchanges } = await stubborn.cast();
    expect(cast).toEqual({
      kind: 'abstained',
      why: 'its answer was no vote: "confidence": expected at most 1',
    });
    expect(stubborn.double.requests.length).toBe(2);
    expect(await replayVote(stubborn.provider, ballot, { exchanges, limits })).toEqual(cast);
  });
});

test('a vote that rests on a figure that was not shown is none', async () => {
  const invented = { ...GOOD, reasons: [{ fact: 'whale_alert', supports: 'BUY' }] };
  const { cast } = await voter('compatible', [{ text: JSON.stringify(invented) }]);
  expect(JSON.stringify((await cast()).cast)).toContain('reasons.0.fact');
});

test.each([
  ['two against one', ['BUY 0.6', 'BUY 0.8', 'SELL 0.9'], 'BUY', (0.6 + 0.8 - 0.9) / 3, 1 / 3],
  ['a tie is HOLD', ['BUY 0.6', 'SELL 0.6'], 'HOLD', 0, 1],
  ['abstentions do not count', ['SELL 0.7', '-'], 'SELL', -0.7, 0],
  ['nobody', ['-', '-'], undefined, undefined, undefined],
])('consensus: %s', (_, said, action, lean, disagreement) => {
  const casts = said.map((text): Cast => {
    if (text === '-') return { kind: 'abstained', why: '' };
    const [word, confidence] = text.split(' ');
    const vote = {
      action: word === 'BUY' ? 'BUY' : 'SELL',
      confidence: Number(confidence),
      reasons: [],
    } as const;
    return { kind: 'vote', vote, repaired: false };
  });
  const found = consensusOf(casts);
  expect(found.action).toBe(action);
  if (lean === undefined) expect(found.lean).toBeUndefined();
  else expect(found.lean).toBeCloseTo(lean, 12);
  if (disagreement === undefined) expect(found.disagreement).toBeUndefined();
  else expect(found.disagreement).toBeCloseTo(disagreement, 12);
});

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

/** Opens and closes by hand; nothing happens within a bar. */
async function project(prices: readonly (readonly [number, number])[]) {
  const dataDir = temporaryFolder();
  const store = openStore(dataDir);
  const candles = emptyCandles(prices.length);
  for (const [row, [open, close]] of prices.entries()) {
    candles.time[row] = START_MS + row * HOUR_MS;
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close);
    candles.low[row] = Math.min(open, close);
    candles.volume[row] = 1e6;
  }
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  await store.merge(key, candles, { source: 'test', synthetic: false });
  const judge = (votes: readonly VoteRecord[]) =>
    judgeVotes(votes, {
      store,
      rulesFor: () => ({ ...SPOT_RULES, initialBalance: 1000, feeBps: 0, slippageBps: 0, impact: undefined }),
      instrumentsFor: (symbols) =>
        symbols.map((symbol) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
      seed: 1,
    });
  return { dataDir, judge };
}

const record = (changes: Partial<VoteRecord>): VoteRecord => ({
  ...{ version: 1, id: 'a', ballot: 'b', provider: 'one', providerKind: 'openai', model: 'm' },
  ...{ exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h', synthetic: false, horizonBars: 2 },
  ...{ atMs: START_MS + 2.5 * HOUR_MS, barClosedMs: START_MS + 2 * HOUR_MS, contaminated: false },
  ...{
    facts: {},
    promptSha256: '',
    mostOutputTokens: 1,
    usd: 0,
    inputTokens: 0,
    outputTokens: 0,
    exchanges: [],
  },
  cast: { kind: 'vote', vote: { action: 'BUY', confidence: 1, reasons: [] }, repaired: false },
  ...changes,
});

/** Bars 0..6. The price doubles inside bar 2, in which the vote is made; then 10 % up in bar 3, 10 % in bar 4, down again in bar 5. */
const PRICES = [
  [50, 50],
  [50, 50],
  [50, 100],
  [100, 110],
  [110, 121],
  [121, 60],
  [60, 60],
] as const;

test('a vote is followed from the first bar that opens after it, for its horizon', async () => {
  const { judge } = await project(PRICES);
  const [found] = await judge([record({})]);
  // Bought at the open of bar 3, left at the open of bar 5: 121 / 100. What bar 2 brought is nobody's merit.
  expect(found).toMatchObject({ judged: 1, hits: 1, hitPct: 100, bars: 4, trades: 1, contaminated: false });
  expect(found.returnPct).toBeCloseTo(21, 6);
  expect(found.holdPct).toBeCloseTo(-40, 6);
});

test('a vote whose horizon is not over is not judged, and one before any bar has no return', async () => {
  const { judge } = await project(PRICES);
  const [open] = await judge([record({ horizonBars: 5 })]);
  expect(open).toMatchObject({ votes: 1, judged: 0, hitPct: undefined });
  const [ahead] = await judge([record({ atMs: START_MS + 6.5 * HOUR_MS })]);
  expect(ahead).toMatchObject({ votes: 1, judged: 0, bars: 0, returnPct: undefined });
});

test('contaminated votes stand apart, and consensus is a voter of its own', async () => {
  const { judge } = await project(PRICES);
  const sell = {
    kind: 'vote',
    vote: { action: 'SELL', confidence: 0.9, reasons: [] },
    repaired: false,
  } as const;
  const found = await judge([
    record({}),
    record({ provider: 'two', cast: sell }),
    record({ provider: 'two', contaminated: true, atMs: START_MS + 900 * HOUR_MS, ballot: 'c' }),
  ]);
  expect(
    found.map(({ voter: name, contaminated, hits, judged }) => [name, contaminated, hits, judged]),
  ).toEqual([
    ['one (m)', false, 1, 1],
    ['two (m)', false, 0, 1],
    // It pretends to have been made at the close of bar 1: that is what makes it worthless.
    ['two (m)', true, 1, 1],
    // BUY against SELL is HOLD.
    ['consensus', false, 0, 0],
  ]);
});

test('votes are on disk as they were cast, and a changed one is found', async () => {
  const dataDir = temporaryFolder();
  const votes = [record({}), record({ id: 'z', cast: { kind: 'abstained', why: 'no answer' } })];
  await keepVotes(dataDir, votes);
  await keepVotes(dataDir, [record({ id: 'y' })]);
  expect(await readVotes(dataDir)).toEqual([...votes, record({ id: 'y' })]);
  const { readFileSync, writeFileSync } = await import('node:fs');
  const path = join(dataDir, 'advisor', 'votes.jsonl');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"BUY"', '"SELL"'));
  await expect(readVotes(dataDir)).rejects.toThrow(/record of votes is damaged/);
});
