import { expect, test } from 'vitest';
import { mentions } from '../../../src/core/text/mentions.ts';

const CASES: readonly (readonly [text: string, assets: readonly string[]])[] = [
  // Names that mean nothing else.
  ['Bitcoin surges past $100k as ETF inflows hit record', ['BTC']],
  ['bitcoin and ethereum slide', ['BTC', 'ETH']],
  ['Bitcoin Cash halving is near', ['BCH']],
  ['Ethereum Classic hit by a 51% attack', ['ETC']],
  // Words that are tickers too.
  ['Click the link in bio to win', []],
  ['A link between inflation and gold', []],
  ['We are near the bottom', []],
  ['near all-time highs, Bitcoin stalls', ['BTC']],
  ['The dot plot of the Fed moved', []],
  ['DOT issues new rules for trucks', []],
  ['An op-ed about OP and the Fed', []],
  ['OP token unlock: 4 % of supply', ['OP']],
  ['NEAR and LINK lead altcoins higher', ['LINK', 'NEAR']],
  ['DOT staking rewards cut in half', ['DOT']],
  ['I bought $LINK and $near today', ['LINK', 'NEAR']],
  ['LINK/USDT breaks out', ['LINK']],
  ['NEARUSDT perpetual listed', ['NEAR']],
  ['the ADA requires ramps', []],
  ['DOGE cuts federal jobs', []],
  ['DOGE jumps after the exchange listed the memecoin', ['DOGE']],
  // Names that are words too.
  ['Avalanche kills three skiers in the Alps', []],
  ['Avalanche subnets draw DeFi builders', ['AVAX']],
  ['An avalanche of selling hits crypto', []],
  ['Consumer optimism rises', []],
  ['Optimism rises among L2s after its airdrop', ['OP']],
  ['Ripple effects of the crisis', []],
  ['Ripple wins on XRP in court', ['XRP']],
  // In capitals throughout, only tickers that mean nothing else count.
  ['BUY THE DOT NEAR THE LINK WITH CRYPTO', []],
  ['BTC TO THE MOON', ['BTC']],
  // Amounts are no tickers.
  ['He paid $100k and $OPen bets', []],
  ['', []],
];

test.each(CASES)('"%s" is about %j', (text, assets) => {
  expect(
    mentions(text)
      .map(({ asset }) => asset)
      .toSorted(),
  ).toEqual([...assets].toSorted());
});

test('a name in the headline counts twice one in the body, and all share the text', () => {
  expect(mentions('Bitcoin rises', 'Solana follows, and so does BTC')).toEqual([
    { asset: 'BTC', relevance: 0.5 },
    { asset: 'SOL', relevance: 0.25 },
  ]);
});
