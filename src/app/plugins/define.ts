import type { Model } from '../../core/forecast/model.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import type { CandleRequest, CandleSource } from '../../data/source.ts';

/** A source of candles of the user's own: `fetch --source <id>`. */
export interface SourcePlugin {
  readonly kind: 'source';
  /** Lower-case letters and digits; also the exchange under which its candles are stored. */
  readonly id: string;
  readonly summary: string;
  /** Something that it has bars of, closed ones: what `plugin check` asks it for. */
  readonly example: Omit<CandleRequest, 'signal'>;
  /** Nothing is asked of the source before its `pages` are. */
  open(): CandleSource;
}

/**
 * A model of your own, as the default export of a file in `user/`: trained, kept, combined, backtested and traded on
 * paper like ours. Returns what it is given; what it adds is the type of the parameters, taken from the schema.
 *
 *     export default defineModel({ id: 'my-model', params: z.strictObject({ bars: z.int().default(24) }), ... });
 */
export const defineModel = <Params>(model: Model<Params>): Model<Params> => model;

/** A strategy of the user's own: `backtest --strategy <id>`. */
export interface StrategyPlugin<Params = unknown> extends Strategy<Params> {
  readonly kind: 'strategy';
}

/**
 * A strategy of your own, as the default export of a file in `user/`: forecast, costs and what is held in, the position
 * that is wanted and a reason out. Returns what it is given.
 */
export const defineStrategy = <Params>(strategy: Strategy<Params>): StrategyPlugin<Params> => ({
  kind: 'strategy',
  ...strategy,
});

/** A source of candles of your own, as the default export of a file in `user/`. Returns what it is given. */
export const defineSource = (source: Omit<SourcePlugin, 'kind'>): SourcePlugin => ({
  kind: 'source',
  ...source,
});
