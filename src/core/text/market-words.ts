import { type Lexicon, VADER_LEXICON } from './vader.ts';

/*
 * What VADER does not know of markets ("Bitcoin surges past $100k" is 0 to it), and what it takes the wrong way there:
 * a share is no kindness, interest no liking, a security nothing safe. Rated by hand on VADER's scale, before any of them
 * was tried on labelled texts; no rating was fitted.
 */
const MARKET_WORDS: readonly (readonly [rating: number, words: string])[] = [
  [3, 'parabolic skyrockets skyrocketed skyrocketing'],
  [
    2.5,
    'bullish bull-run bullrun soars soared soaring surges surged surging moon mooning mooned outperforms outperform',
  ],
  [
    2,
    'surge soar rally rallies rallied rallying jumps jumped breakout all-time-high ath approves approved approval',
  ],
  [
    1.8,
    'climbs climbed climb rebound rebounds rebounded recovers recovered beats tops upgraded adopts adoption',
  ],
  [
    1.5,
    'inflows inflow upside buyback buybacks airdrop accumulates accumulating accumulation integrates partnership partners partnered',
  ],
  [
    1.3,
    'rises rose rising upgrade upgrades listing lists hodl hodling launches launched mainnet raises raised dividend',
  ],
  [1, 'gainers buys bought halving demand'],
  [
    0,
    'pay pays paid share shares interest security securities trust energy bond bonds cut cuts limited play stake stakes staked staking hash block blocks like novel united well treasury',
  ],
  [-0.8, 'outflow resistance sell sells volatile volatility tapering'],
  [
    -1.3,
    'outflows falls fell falling slips slipped dips dip dipped slides slid downgrade downgrades downgraded selloff sell-off sell-offs',
  ],
  [
    -1.8,
    'drops dropped tumble tumbles tumbled sinks sank slump slumps slumped sues sued lawsuit subpoena subpoenaed delists delisted delisting ban bans banned halts halted fud bearish underperforms underperform misses missed shortfall layoffs',
  ],
  [
    -2.3,
    'plunge plunges plunged plunging crashes crashed crashing plummets plummeted plummeting nosedives liquidation liquidations liquidated capitulation capitulates dumped dumping exploit exploited exploits depeg depegs depegged rekt hack hacked hackers hacker drained drains',
  ],
  [
    -2.8,
    'insolvent insolvency bankrupt bankruptcy ponzi rugpull rug-pull rugged scam scams collapse collapses collapsed laundering indicted indictment',
  ],
];

/** VADER's lexicon with the words of markets over it. */
export const MARKET_LEXICON: Lexicon = new Map([
  ...VADER_LEXICON,
  ...MARKET_WORDS.flatMap(([rating, words]) =>
    words.split(' ').map((word): [string, number] => [word, rating]),
  ),
]);
