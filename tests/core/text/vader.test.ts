import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MARKET_LEXICON } from '../../../src/core/text/market-words.ts';
import { lexiconSentiment, vader } from '../../../src/core/text/vader.ts';

const Golden = z.object({
  cases: z.array(
    z.object({ text: z.string(), neg: z.number(), neu: z.number(), pos: z.number(), compound: z.number() }),
  ),
});
const { cases } = Golden.parse(
  JSON.parse(readFileSync(new URL('../../golden/text/vader.json', import.meta.url), 'utf8')),
);

test.each(cases)('VADER says of "$text" what vaderSentiment says', ({ text, neg, neu, pos, compound }) => {
  const score = vader(text);
  expect(Math.abs(score.compound - compound)).toBeLessThanOrEqual(0.5001e-4);
  for (const [own, theirs] of [
    [score.negative, neg],
    [score.neutral, neu],
    [score.positive, pos],
  ])
    expect(Math.abs(own - theirs)).toBeLessThanOrEqual(0.5001e-3);
});

test.each([
  ['Bitcoin surges past $100k as ETF inflows hit record!', 1],
  ['SEC sues exchange; BTC plunges 12%', -1],
  ['HODL to the moon 🚀🚀', 1],
  ['rug-pull drained $40M from DeFi protocol', -1],
  ['Shares of the trust pay interest on its securities', 0],
  ['', 0],
])('the words of markets give "%s" the sign %i', (text, sign) => {
  expect(Math.sign(lexiconSentiment(text, MARKET_LEXICON).polarity)).toBe(sign);
});

test('a text of marks and blanks has no sentiment, and no text breaks the rules', () => {
  for (const text of [' ', '!!!', '\u0000', '🚀', 'no', 'but but but', "n't", 'x'.repeat(100_000)]) {
    const { polarity, subjectivity } = lexiconSentiment(text, MARKET_LEXICON);
    expect(Math.abs(polarity)).toBeLessThanOrEqual(1);
    expect(subjectivity >= 0 && subjectivity <= 1).toBe(true);
  }
});
