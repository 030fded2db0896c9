import { UserError } from '../../core/foundation/errors.ts';
import { plainResult } from './hostile.ts';
import type { Sources } from './tools.ts';

/** Figures by name, such as `market_7d.returnPct`: all that a voter is shown. */
export type Facts = Readonly<Record<string, number>>;

/** Of candles alone, so that they are always there. */
const FEATURES = [
  'rsi_14',
  'macd_histogram',
  'bollinger_position',
  'adx_14',
  'ema_distance_99',
  'volume_ratio_20',
];
const WINDOWS = [1, 7, 30, 90];
const LEFT_OUT = /(^|\.)(days|ageHours|bars|hasVote|synthetic)$/;

/** What is known of a symbol at the close of its bar, in numbers alone. */
export async function factsOf(sources: Sources, symbol: string, barClosedMs: number): Promise<Facts> {
  const asset = symbol.split('/')[0];
  const features = FEATURES.filter((name) => sources.features.includes(name));
  const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
    ...WINDOWS.map((days) => [`market_${days}d`, () => sources.market(symbol, days, barClosedMs)] as const),
    ['features', () => sources.featureValues(symbol, features, barClosedMs)],
    ['signals', () => sources.signals(symbol, barClosedMs)],
    ...(sources.assets.includes(asset)
      ? [1, 7].map((days) => [`news_${days}d`, () => sources.news(asset, days, barClosedMs)] as const)
      : []),
  ];
  const facts: Record<string, number> = {};
  for (const [name, read] of asked) collect(facts, name, plainResult(await orNothing(read)));
  return facts;
}

/** Signals need trained models, features their inputs: what is not there is no fact. */
const orNothing = (read: () => Promise<unknown>): Promise<unknown> =>
  read().catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });

/** Numbers by where they stand. Of models only the ensemble: the others are in it already. */
function collect(facts: Record<string, number>, path: string, value: unknown): void {
  if (typeof value === 'number' && !LEFT_OUT.test(path)) facts[path] = value;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, one] of Object.entries(value)) {
    if (!Array.isArray(value)) collect(facts, `${path}.${key}`, one);
    else if (isEnsemble(one)) collect(facts, `${path}.ensemble`, one);
  }
}

const isEnsemble = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'model' in value && value.model === 'ensemble';
