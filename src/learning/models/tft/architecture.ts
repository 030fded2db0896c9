import type { Architecture } from '../../learners/deep/architecture.ts';
import { CALENDAR_INPUTS, oneWindow } from '../../learners/deep/inputs.ts';
import { attentionByLag } from '../../learners/deep/layers.ts';
import { networkInputs } from '../../learners/deep/params.ts';
import { QUANTILE_LEVELS, quantileHead } from '../../learners/deep/quantile-head.ts';
import { type ExplanationPart, importance, percentOf } from '../../../core/forecast/explanation.ts';
import type { TftParams } from './index.ts';
import { tftNetwork } from './network.ts';

/** The Temporal Fusion Transformer with a head of quantiles; `{ ...tftArchitecture, head }` sets another on it. */
export const tftArchitecture: Architecture<TftParams> = {
  inputs: (params, panel) => oneWindow(params, panel, Math.max(...params.horizonsBars)),
  head: quantileHead,
  sharesBars: true,
  network: ({ hidden, heads, layers, dropout, horizonsBars }, { features, lookBack, futureBars, symbols }) =>
    tftNetwork({
      hidden,
      heads,
      layers,
      dropout,
      lookBack,
      futureBars,
      outputBars: horizonsBars,
      outputsPerBar: QUANTILE_LEVELS.length,
      observedInputs: features,
      knownInputs: CALENDAR_INPUTS.length,
      symbols,
    }),
  explain: explainTft,
};

/** How much each input weighed in the variable selection, and how much attention the decision horizon paid to each bar. */
function explainTft(
  params: Pick<TftParams, 'features' | 'horizonsBars' | 'decisionBars' | 'lookBack'>,
  { past, future, attention }: Readonly<Record<string, Float32Array>>,
): readonly ExplanationPart[] {
  const observed = networkInputs(params);
  // The order of the network: covariates, calendar, past of what is forecast.
  const pastNames = [...observed.slice(0, -1), ...CALENDAR_INPUTS, observed[observed.length - 1]];
  const steps = params.lookBack + Math.max(...params.horizonsBars);
  const row = params.horizonsBars.indexOf(params.decisionBars);
  const toPast = attention.subarray(row * steps, row * steps + params.lookBack);
  const shares = (names: readonly string[], weights: Float32Array) =>
    names.map((name, i) => [name, percentOf(weights[i])] as const);
  return [
    importance('inputs of the past', '%', shares(pastNames, past)),
    importance('calendar of the bars to come', '%', shares(CALENDAR_INPUTS, future)),
    attentionByLag(toPast),
  ];
}
