import { expect, it } from 'vitest';
import type { CandleSource } from '../../src/data/source.ts';
import { openSynthetic } from '../../src/data/synthetic/source.ts';
import { checkSource } from '../../src/lab/contracts/check-source.ts';
import type { Verdict } from '../../src/lab/contracts/verdict.ts';

const example = {
  symbol: 'BTC/USDT',
  timeframe: '1h',
  sinceMs: Date.UTC(2024, 0, 1),
  untilMs: Date.UTC(2024, 0, 3),
} as const;

async function verdictsOn(source: CandleSource, patienceMs?: number): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for await (const verdict of checkSource(source, example, patienceMs === undefined ? {} : { patienceMs }))
    verdicts.push(verdict);
  return verdicts;
}

it('a sound source keeps every law', async () => {
  expect((await verdictsOn(openSynthetic({ seed: 1 }))).filter(({ kind }) => kind === 'broken')).toEqual([]);
});

it.each([
  ['its time', { clockMs: () => new Promise<number>(() => {}) }],
  [
    'the first page of its own example',
    { pages: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }) },
  ],
])('a source that never answers with %s is asked nothing more', async (what, silent) => {
  const verdicts = await verdictsOn({ ...openSynthetic({ seed: 1 }), ...silent }, 10);
  expect(verdicts).toEqual([
    { law: 'answers in time', kind: 'broken', reason: `${what} did not come within 0.01 s` },
  ]);
});
