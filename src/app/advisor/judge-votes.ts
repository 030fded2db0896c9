import { createRandom } from '../../core/foundation/random.ts';
import { directionInterval } from '../../core/evaluation/direction.ts';
import { type Candles, lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { alignMarket, alignColumn } from '../../core/trading/align.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { runBacktest } from '../../core/trading/run.ts';
import type { Store } from '../../data/store/store.ts';
import { type Cast, consensusOf } from './vote.ts';
import type { VoteRecord } from './vote-log.ts';

/** How the votes of one voter have turned out. */
export interface VoterRecord {
  readonly voter: string;
  readonly exchange: string;
  readonly timeframe: string;
  /** Apart from the others: these models may have known what came. */
  readonly contaminated: boolean;
  readonly synthetic: boolean;
  readonly votes: number;
  readonly abstained: number;
  /** BUY and SELL whose horizon is over, and how often the price moved that way. */
  readonly judged: number;
  readonly hits: number;
  readonly hitPct: number | undefined;
  /** 95 %, in percent. */
  readonly hitInterval: readonly [number, number] | undefined;
  /** Following the votes through the execution core, costs included, over the bars since the first; beside holding all in equal parts. */
  readonly bars: number;
  readonly returnPct: number | undefined;
  readonly holdPct: number | undefined;
  readonly trades: number;
  readonly usd: number;
}

/** When a vote can first be followed: bars that open after it was made. A contaminated one pretends to have been made at its bar. */
const usableMs = ({ contaminated, atMs, barClosedMs }: VoteRecord): number =>
  contaminated ? barClosedMs - 1 : atMs;

/**
 * Votes as the same execution core trades them that trades everything else: a BUY is long, a SELL short where the rules allow it, from the first
 * bar that opens after the vote, for its horizon or until the next vote.
 */
export async function judgeVotes(
  votes: readonly VoteRecord[],
  {
    store,
    rulesFor,
    instrumentsFor,
    seed,
  }: {
    readonly store: Store;
    readonly rulesFor: (symbols: number) => ExecutionRules;
    readonly instrumentsFor: (symbols: readonly PairSymbol[]) => readonly Instrument[];
    readonly seed: number;
  },
): Promise<readonly VoterRecord[]> {
  const groups = new Map<string, { voter: string; votes: VoteRecord[] }>();
  for (const vote of [...votes, ...consensusVotes(votes)]) {
    const voter = vote.provider === CONSENSUS ? CONSENSUS : `${vote.provider} (${vote.model})`;
    const key = [voter, vote.exchange, vote.timeframe, vote.contaminated, vote.synthetic].join('|');
    const group = groups.get(key) ?? { voter, votes: [] };
    group.votes.push(vote);
    groups.set(key, group);
  }
  const records: VoterRecord[] = [];
  for (const { voter, votes: own } of groups.values()) {
    const [{ exchange, timeframe, contaminated, synthetic }] = own;
    const symbols = [...new Set(own.map(({ symbol }) => symbol))];
    const firstMs = Math.min(...own.map(usableMs));
    const candles = await Promise.all(symbols.map((symbol) => store.read({ exchange, symbol, timeframe })));
    const since = candles.map((all) => tail(all, firstMs));
    const targets = since.map((bars, s) =>
      pathOf(
        bars,
        own.filter(({ symbol }) => symbol === symbols[s]),
      ),
    );
    const rules = rulesFor(symbols.length);
    const bars = since.reduce((most, { time }) => Math.max(most, time.length - 1), 0);
    const run = bars < 1 ? undefined : follow(since, targets, timeframe, rules, instrumentsFor(symbols));
    const last = run?.equity.at(-1);
    records.push({
      voter,
      exchange,
      timeframe,
      contaminated,
      synthetic,
      votes: own.filter(({ cast }) => cast.kind === 'vote').length,
      abstained: own.filter(({ cast }) => cast.kind === 'abstained').length,
      ...hitsOf(own, candles, symbols, seed),
      bars,
      returnPct: last === undefined ? undefined : 100 * (last / rules.initialBalance - 1),
      holdPct: bars < 1 ? undefined : holding(since),
      trades: run?.trades.length ?? 0,
      usd: own.reduce((sum, { usd }) => sum + usd, 0),
    });
  }
  return records;
}

const CONSENSUS = 'consensus';

/** One more voter: what each ballot came to. */
function consensusVotes(votes: readonly VoteRecord[]): readonly VoteRecord[] {
  const ballots = new Map<string, VoteRecord[]>();
  for (const vote of votes) {
    const key = `${vote.ballot} ${vote.symbol}`;
    ballots.set(key, [...(ballots.get(key) ?? []), vote]);
  }
  return [...ballots.values()].flatMap((own): readonly VoteRecord[] => {
    if (own.length < 2) return [];
    const { action, lean = 0 } = consensusOf(own.map(({ cast }) => cast));
    const cast: Cast =
      action === undefined
        ? { kind: 'abstained', why: 'nobody voted' }
        : { kind: 'vote', vote: { action, confidence: Math.abs(lean), reasons: [] }, repaired: false };
    return [{ ...own[0], provider: CONSENSUS, atMs: Math.max(...own.map(({ atMs }) => atMs)), cast, usd: 0 }];
  });
}

/** The bar before the first that opens after `ms`, and all that follow. */
function tail(candles: Candles, ms: number): Candles {
  const from = Math.max(0, lowerBound(candles.time, ms + 1) - 1);
  const cut = (column: Float64Array): Float64Array => column.subarray(from);
  const { time, open, high, low, close, volume } = candles;
  return {
    ...{ time: cut(time), open: cut(open), high: cut(high) },
    ...{ low: cut(low), close: cut(close), volume: cut(volume) },
  };
}

const POSITION = { BUY: 1, SELL: -1, HOLD: 0 } as const;

/** Wanted positions, decided at the close of each bar: row r trades at the open of r + 1. */
function pathOf({ time }: Candles, votes: readonly VoteRecord[]): Float64Array {
  const wanted = new Float64Array(time.length);
  for (const vote of votes.toSorted((a, b) => usableMs(a) - usableMs(b))) {
    if (vote.cast.kind === 'abstained') continue;
    const entry = lowerBound(time, usableMs(vote) + 1);
    const row = Math.max(0, entry - 1);
    wanted.fill(0, row);
    wanted.fill(POSITION[vote.cast.vote.action], row, row + vote.horizonBars);
  }
  return wanted;
}

function follow(
  candles: readonly Candles[],
  targets: readonly Float64Array[],
  timeframe: VoteRecord['timeframe'],
  rules: ExecutionRules,
  instruments: readonly Instrument[],
) {
  const market = alignMarket(candles, timeframe);
  const aligned = targets.map((column, s) => alignColumn(market, s, column));
  return runBacktest({ market, targets: aligned, instruments, rules });
}

/** Equal parts of each, bought at the first open that votes could trade at, without costs. */
const holding = (candles: readonly Candles[]): number => {
  const own = candles.filter(({ time }) => time.length > 1);
  const growth = own.map(({ open, close }) => close[close.length - 1] / open[1] - 1);
  return (100 * growth.reduce((sum, one) => sum + one, 0)) / own.length;
};

function hitsOf(
  votes: readonly VoteRecord[],
  candles: readonly Candles[],
  symbols: readonly PairSymbol[],
  seed: number,
): Pick<VoterRecord, 'judged' | 'hits' | 'hitPct' | 'hitInterval'> {
  const tally = new Map<number, { hits: number; samples: number }>();
  let longest = 1;
  for (const vote of votes) {
    if (vote.cast.kind === 'abstained' || vote.cast.vote.action === 'HOLD') continue;
    const { time, open, close } = candles[symbols.indexOf(vote.symbol)];
    const entry = lowerBound(time, usableMs(vote) + 1);
    const exit = entry + vote.horizonBars - 1;
    if (exit >= time.length) continue;
    const move = close[exit] / open[entry] - 1;
    const at = tally.get(time[entry]) ?? { hits: 0, samples: 0 };
    tally.set(time[entry], {
      hits: at.hits + (Math.sign(move) === POSITION[vote.cast.vote.action] ? 1 : 0),
      samples: at.samples + 1,
    });
    longest = Math.max(longest, vote.horizonBars);
  }
  const judged = [...tally.values()].reduce((sum, { samples }) => sum + samples, 0);
  const hits = [...tally.values()].reduce((sum, one) => sum + one.hits, 0);
  const interval = directionInterval(tally, longest, createRandom(seed));
  return { judged, hits, hitPct: judged === 0 ? undefined : (100 * hits) / judged, hitInterval: interval };
}
