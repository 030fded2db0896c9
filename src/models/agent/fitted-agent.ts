import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { ACCOUNT_OBSERVATION } from '../../environments/trading-account.ts';
import type { TradingTask } from '../../environments/trading.ts';
import { UserError } from '../../foundation/errors.ts';
import type { Artifact, FittedModel, Forecast } from '../model.ts';
import type { AgentParams } from './params.ts';
import { agentEnvironments, type Decide, playThrough } from './trading-agent.ts';

/** A trained agent as data; `weights` are the network's, flat. */
export interface AgentRecord<Params> {
  readonly params: Params;
  /** The observation's entries: what each input of the network means. */
  readonly observation: readonly string[];
  readonly scaler: { readonly means: readonly number[]; readonly deviations: readonly number[] };
  readonly moments: { readonly mean: readonly number[]; readonly variance: readonly number[] };
  readonly figures: Readonly<Record<string, unknown>>;
  readonly weights: Float32Array;
}

/**
 * The agent as a model. Its forecast is what it would hold on an account of its own, which it has followed from the
 * first bar on: so a backtest, a paper session and a replay show it the same position.
 */
export function fittedAgent<Params extends AgentParams>(
  record: AgentRecord<Params>,
  actions: TradingTask['actions'],
  decide: Decide,
): FittedModel {
  const { params, observation, scaler, figures } = record;
  return {
    report: figures,
    async forecast(panel) {
      const found = [...panel.series[0].features.names, ...ACCOUNT_OBSERVATION];
      if (found.join() !== observation.join()) {
        throw new UserError(
          `The agent was trained to see "${observation.join(', ')}", and is shown "${found.join(', ')}".`,
          { hint: 'Train it anew with the present features.' },
        );
      }
      const [environment] = agentEnvironments(panel, scaler, params, actions, 1);
      const forecasts: Forecast[] = [];
      for (const [s, { symbol, candles }] of panel.series.entries()) {
        await setImmediate();
        const { position } = playThrough(environment, { s, fromRow: 0, rows: candles.time.length }, decide);
        forecasts.push({ symbol, horizonBars: 1, position, confidence: position.map(Math.abs) });
      }
      return forecasts;
    },
    save: () => saveAgent(record),
  };
}

function saveAgent<Params>({ weights, ...json }: AgentRecord<Params>): Artifact {
  return { json, blobs: { weights: new Uint8Array(weights.slice().buffer) } };
}

/** Reads what `saveAgent` made. Throws `UserError` when the weights are not as many as the network has. */
export function readAgent<Params>(
  { json, blobs }: Artifact,
  params: z.ZodType<Params>,
  weightsOf: (record: Omit<AgentRecord<Params>, 'weights'>) => number,
): AgentRecord<Params> {
  const numbers = z.array(z.number());
  const head = z
    .strictObject({
      params,
      observation: z.array(z.string()),
      scaler: z.strictObject({ means: numbers, deviations: numbers }),
      moments: z.strictObject({ mean: numbers, variance: numbers }),
      figures: z.record(z.string(), z.unknown()),
    })
    .parse(json);
  const bytes = blobs.weights ?? new Uint8Array();
  const expected = 4 * weightsOf(head);
  if (bytes.byteLength !== expected) {
    throw new UserError(`The agent's weights have ${bytes.byteLength} bytes; ${expected} were expected.`, {
      hint: 'Restore the checkpoint from a backup, or train again.',
    });
  }
  return { ...head, weights: new Float32Array(bytes.slice().buffer) };
}
