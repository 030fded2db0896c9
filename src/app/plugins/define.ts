import type { Model } from '../../core/forecast/model.ts';
import type { z } from 'zod';
import type { Messenger } from '../../core/foundation/message.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import { asZod, type Schema } from './standard-schema.ts';
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
 * paper like ours. Gives the parameters their type, taken from the schema.
 *
 *     export default defineModel({ id: 'my-model', params: z.strictObject({ bars: z.int().default(24) }), ... });
 */
export const defineModel = <Params>({
  params,
  ...model
}: Omit<Model<Params>, 'params'> & { readonly params: Schema<Params> }): Model<Params> => ({
  ...model,
  params: asZod(params),
});

/** A strategy of the user's own: `backtest --strategy <id>`. */
export interface StrategyPlugin<Params = unknown> extends Strategy<Params> {
  readonly kind: 'strategy';
}

/**
 * A strategy of your own, as the default export of a file in `user/`: forecast, costs and what is held in, the position
 * that is wanted and a reason out.
 */
export const defineStrategy = <Params>({
  params,
  ...strategy
}: Omit<Strategy<Params>, 'params'> & { readonly params: Schema<Params> }): StrategyPlugin<Params> => ({
  kind: 'strategy',
  ...strategy,
  params: asZod(params),
});

/** A way to people of the user's own: what `paper` tells goes there too. */
export interface NotifierPlugin<Params = unknown> {
  readonly kind: 'notifier';
  /** Lower-case letters, digits and dashes. */
  readonly id: string;
  readonly summary: string;
  /**
   * Parameters: from `notifiers.<id>` in config.yaml or, tokens and addresses above all, from the environment, where
   * `token` of `my-phone` is NOTIFY_MY_PHONE_TOKEN. Without valid ones the notifier is left out.
   */
  readonly params: z.ZodType<Params>;
  /** Sends nothing yet. */
  open(params: Params): Messenger;
}

/**
 * A notifier of your own, as the default export of a file in `user/`. Its errors are written to the log without the
 * values of its parameters; it can make no bar wait, and a session goes on without it.
 */
export const defineNotifier = <Params>({
  params,
  ...notifier
}: Omit<NotifierPlugin<Params>, 'kind' | 'params'> & {
  readonly params: Schema<Params>;
}): NotifierPlugin<Params> => ({ kind: 'notifier', ...notifier, params: asZod(params) });

/** A source of candles of your own, as the default export of a file in `user/`. Returns what it is given. */
export const defineSource = (source: Omit<SourcePlugin, 'kind'>): SourcePlugin => ({
  kind: 'source',
  ...source,
});
