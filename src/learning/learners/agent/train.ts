import { setImmediate } from 'node:timers/promises';
import type { Scaler } from '../../../core/dataset/scaler.ts';
import { panelUntil } from '../../../core/dataset/panel.ts';
import type { TradingTask } from '../../../core/environments/trading.ts';
import { type VectorEnvironment, vectorise } from '../../../core/environments/vector.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import type { FitTask, Model } from '../../../core/forecast/model.ts';
import type { AgentParams } from './params.ts';
import { fitRefits, type Refits, withForecasts } from './refits.ts';
import { packState, unpackState } from './snapshot.ts';
import { agentEnvironments, type Decide, fitAgentScaler, playThrough } from './trading-agent.ts';

/** What training needs of a learning algorithm. */
export interface AgentLearner<Weights, State> {
  readonly steps: number;
  /** Plays and learns for a while; returns figures worth reporting. */
  iterate(): Promise<{ readonly loss: number | undefined; readonly figures: AgentFigures }>;
  weights(): Weights;
  /** All that a resumed training needs to go on bit for bit. */
  state(): State;
  restore(state: State): void;
  dispose(): Promise<void>;
}
export type AgentFigures = Readonly<Record<string, number>>;

/** Without the figures that are not known yet. */
export const known = (figures: Readonly<Record<string, number | undefined>>): AgentFigures =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );

export interface TrainedAgent<Weights> {
  readonly scaler: Scaler;
  readonly observation: readonly string[];
  readonly refits: Refits;
  readonly weights: Weights;
  /** Steps of practice behind the weights that were kept. */
  readonly keptAtStep: number;
  /** Mean over the symbols of the log equity gained on the validation bars; `undefined` without such bars. */
  readonly validationLogGrowth: number | undefined;
  readonly figures: AgentFigures;
}

/**
 * Practises on the bars before `trainUntilMs`, tries the agent on the validation bars now and then and keeps the
 * weights that did best there. Goes on from the snapshot of the task, and leaves one behind when it is aborted.
 */
export async function trainAgent<Weights, State>(
  task: FitTask<AgentParams & { readonly nEnvs: number }>,
  forecasters: readonly Model[],
  actions: TradingTask['actions'],
  algorithm: {
    readonly create: (environment: VectorEnvironment) => Promise<AgentLearner<Weights, State>>;
    /** `inputs`: entries of an observation. */
    readonly decider: (weights: Weights, inputs: number) => Decide;
  },
): Promise<TrainedAgent<Weights>> {
  const { params, trainUntilMs, signal, onProgress, snapshots } = task;
  const { totalTimesteps } = params;
  const refits = await fitRefits(task, forecasters);
  const panel = await withForecasts(task.panel, params, refits);
  const scaler = fitAgentScaler(panel, trainUntilMs);
  const past = panelUntil(panel, trainUntilMs);
  const environment = vectorise(agentEnvironments(past, scaler, params, actions, params.nEnvs));
  const [trial] = agentEnvironments(panel, scaler, params, actions, 1);
  const tryOut = (weights: Weights): number | undefined => {
    const decide = algorithm.decider(weights, environment.observation.length);
    const ranges = panel.series
      .map(({ candles: { time } }, s) => ({ s, fromRow: lowerBound(time, trainUntilMs), rows: time.length }))
      .filter(({ fromRow, rows }) => rows - fromRow > 1);
    if (ranges.length === 0) return undefined;
    const growth = ranges.map((range) => playThrough(trial, range, decide).logGrowth);
    return growth.reduce((sum, value) => sum + value, 0) / growth.length;
  };

  signal.throwIfAborted();
  const learner = await algorithm.create(environment);
  try {
    const started = performance.now();
    const between = totalTimesteps / params.evaluations;
    type Best = Pick<TrainedAgent<Weights>, 'weights' | 'keptAtStep' | 'validationLogGrowth'>;
    interface Resumable {
      readonly learner: State;
      readonly best: Best | undefined;
      readonly nextTrial: number;
      readonly figures: AgentFigures;
    }
    let best: Best | undefined;
    let nextTrial = between;
    let figures: AgentFigures = {};
    let lastTrial: number | undefined;
    const keep = async (): Promise<void> => {
      const state: Resumable = { learner: learner.state(), best, nextTrial, figures };
      await snapshots?.keep(packState(state), { step: learner.steps });
    };
    if (snapshots?.from) {
      const sample: Resumable = { learner: learner.state(), best, nextTrial, figures: {} };
      const state = unpackState(snapshots.from, sample);
      learner.restore(state.learner);
      ({ nextTrial, figures } = state);
      best = state.best;
    }
    const stepsBefore = learner.steps;
    let lastYield = started;
    while (learner.steps < totalTimesteps) {
      // Ctrl-C and timers get their turn: an iteration need not wait for anything.
      if (performance.now() - lastYield > 50) {
        await setImmediate();
        lastYield = performance.now();
      }
      if (signal.aborted) await keep();
      signal.throwIfAborted();
      const { loss, figures: latest } = await learner.iterate();
      figures = latest;
      const { steps } = learner;
      if (steps >= nextTrial || steps >= totalTimesteps) {
        nextTrial += between;
        const weights = learner.weights();
        lastTrial = tryOut(weights);
        if (best?.validationLogGrowth === undefined || (lastTrial ?? -Infinity) > best.validationLogGrowth)
          best = { weights, keptAtStep: steps, validationLogGrowth: lastTrial };
      }
      onProgress({
        step: Math.min(steps, totalTimesteps),
        steps: totalTimesteps,
        ...(loss !== undefined && { loss }),
        figures: known({
          ...figures,
          validationLogGrowth: lastTrial,
          bestValidationLogGrowth: best?.validationLogGrowth,
          bestAtStep: best?.keptAtStep,
        }),
        samplesPerSecond: (1000 * (steps - stepsBefore)) / (performance.now() - started),
      });
      if (steps < totalTimesteps && snapshots?.isDue({ step: steps })) await keep();
    }
    const kept = best ?? {
      weights: learner.weights(),
      keptAtStep: learner.steps,
      validationLogGrowth: undefined,
    };
    return { scaler, observation: environment.observation, refits, figures, ...kept };
  } finally {
    await learner.dispose();
  }
}
