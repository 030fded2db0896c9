import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { ACCOUNT_OBSERVATION } from '../../../core/environments/trading-account.ts';
import type { Panel } from '../../../core/dataset/panel.ts';
import type { TradingTask } from '../../../core/environments/trading.ts';
import { ownBuffer } from '../../../core/foundation/bytes.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import type { Artifact, FittedModel, Forecast, Model } from '../../../core/forecast/model.ts';
import type { AgentParams } from './params.ts';
import {
  agentFeatures,
  type AskRefit,
  askRefit,
  followRefits,
  readRefits,
  type Refits,
  RefitsJson,
  saveRefits,
  withForecasts,
} from './refits.ts';
import { agentEnvironments, type Decide, playThrough, Standing } from './trading-agent.ts';

/** A trained agent as data; `weights` are the network's, flat. */
export interface AgentRecord<Params> {
  readonly params: Params;
  /** The observation's entries: what each input of the network means. */
  readonly observation: readonly string[];
  readonly scaler: { readonly means: readonly number[]; readonly deviations: readonly number[] };
  readonly moments: { readonly mean: readonly number[]; readonly variance: readonly number[] };
  readonly figures: Readonly<Record<string, unknown>>;
  /** The models whose forecasts it sees. */
  readonly refits: Refits;
  readonly weights: Float32Array;
}

/**
 * The agent as a model. Its forecast is what it would hold on an account of its own, which it has followed from the
 * first bar on: so a backtest, a paper session and a replay show it the same position.
 */
export function fittedAgent<Params extends AgentParams>(
  record: AgentRecord<Params>,
  how: {
    /** Models that the agent may have been trained to see the forecasts of. */
    readonly forecasters: readonly Model[];
    readonly actions: TradingTask['actions'];
    readonly decide: Decide;
  },
): FittedModel {
  const { params, observation, scaler, figures, refits } = record;
  const { forecasters, actions, decide } = how;
  const features = agentFeatures(params, forecasters);
  /** `from`: where each symbol's account stood before `sinceMs`, which is then updated. */
  const play = async (
    panel: Panel,
    ask: AskRefit,
    from: { readonly sinceMs: number; readonly standings: Map<string, Standing | undefined> },
  ): Promise<readonly Forecast[]> => {
    requireLayout(features, panel.series[0].features.names);
    const seen = await withForecasts(panel, params, refits, ask);
    requireLayout(observation, [...seen.series[0].features.names, ...ACCOUNT_OBSERVATION]);
    const [environment] = agentEnvironments(seen, scaler, params, actions, 1);
    const forecasts: Forecast[] = [];
    for (const [s, { symbol, candles }] of panel.series.entries()) {
      await setImmediate();
      const { sinceMs, standings } = from;
      const range = { s, fromRow: lowerBound(candles.time, sinceMs), rows: candles.time.length };
      const { position, standing } = playThrough(environment, range, decide, standings.get(symbol));
      if (range.fromRow < range.rows) standings.set(symbol, standing);
      forecasts.push({ symbol, horizonBars: 1, position, confidence: position.map(Math.abs) });
    }
    return forecasts;
  };
  const whole = { sinceMs: -Infinity };
  return {
    report: { ...figures, observation },
    ...(refits.absent.length > 0 && {
      absent: refits.absent.map(({ id, reason }) => ({ name: `the forecasts of ${id}`, reason })),
    }),
    forecast: (panel) => play(panel, askRefit, { ...whole, standings: new Map() }),
    ...(refits.all.every(({ fitted }) => fitted.follow !== undefined) && {
      follow(from) {
        const before = from === undefined ? undefined : Stood.parse(from);
        const followed = followRefits(refits, before?.refits);
        const standings = new Map<string, Standing | undefined>(before?.accounts);
        let isFirst = before === undefined;
        return {
          lookBackBars: Math.max(1, followed.lookBackBars),
          async forecast(panel: Panel, sinceMs: number) {
            const said = await play(panel, followed.ask(isFirst ? -Infinity : sinceMs), {
              sinceMs: isFirst ? -Infinity : sinceMs,
              standings,
            });
            isFirst = false;
            return said;
          },
          standing() {
            const seen = followed.standing();
            const accounts = [...standings].filter(([, standing]) => standing !== undefined);
            return seen && { accounts, refits: seen };
          },
        };
      },
    }),
    save: () => saveAgent(record),
  };
}

/** Accounts that have acted, and what the models that are seen came to. */
const Stood = z.strictObject({
  accounts: z.array(z.tuple([z.string(), Standing])),
  refits: z.array(z.unknown()),
});

function requireLayout(trained: readonly string[], shown: readonly string[]): void {
  if (trained.join() === shown.join()) return;
  throw new UserError(
    `The agent was trained to see "${trained.join(', ')}", and is shown "${shown.join(', ')}".`,
    { hint: 'Retrain it with the current features.' },
  );
}

function saveAgent<Params>({ weights, refits, ...head }: AgentRecord<Params>): Artifact {
  const saved = saveRefits(refits);
  return {
    json: { ...head, refits: saved.json },
    blobs: { ...saved.blobs, weights: new Uint8Array(weights.slice().buffer) },
  };
}

/** Reads what `saveAgent` made. Throws `UserError` when the weights are not as many as the network has. */
export async function readAgent<Params>(
  { json, blobs }: Artifact,
  params: z.ZodType<Params>,
  forecasters: readonly Model[],
  weightsOf: (record: Pick<AgentRecord<Params>, 'params' | 'observation'>) => number,
): Promise<AgentRecord<Params>> {
  const numbers = z.array(z.number());
  const head = z
    .strictObject({
      params,
      observation: z.array(z.string()),
      scaler: z.strictObject({ means: numbers, deviations: numbers }),
      moments: z.strictObject({ mean: numbers, variance: numbers }),
      figures: z.record(z.string(), z.unknown()),
      refits: RefitsJson,
    })
    .parse(json);
  const bytes = blobs.weights ?? new Uint8Array();
  const expected = 4 * weightsOf(head);
  if (bytes.byteLength !== expected) {
    throw new UserError(`The agent's weights have ${bytes.byteLength} bytes; ${expected} were expected.`, {
      hint: 'Restore the checkpoint from a backup, or train again.',
    });
  }
  const refits = await readRefits(head.refits, blobs, forecasters);
  return { ...head, refits, weights: new Float32Array(ownBuffer(bytes)) };
}
