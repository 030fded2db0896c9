import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { nearest } from '../../../core/foundation/nearest.ts';
import { openStore } from '../../../data/store/store.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { DETECTOR_NAMES, type DetectorName, type WatchedStream } from '../../../learning/validation/drift.ts';
import { driftOf, SHIFTED_FROM } from '../../workflows/drift.ts';
import { less } from '../table.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';
import { projectRegistry } from '../project-plugins.ts';
import { addMarketOptions, addRunOption, MARKET_OPTIONS, RUN_OPTION, runNamed } from '../run-options.ts';

const Options = z.object({
  ...RUN_OPTION,
  until: MARKET_OPTIONS.until,
  detectors: z
    .string()
    .transform((list) => list.split(',').map((name) => detectorNamed(name.trim())))
    .optional(),
});

function detectorNamed(name: string): DetectorName {
  const found = DETECTOR_NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  const guess = nearest(name, DETECTOR_NAMES);
  throw new UsageError(
    `There is no detector "${name}": expected ${DETECTOR_NAMES.join(', ')}.${guess === undefined ? '' : ` Did you mean "${guess}"?`}`,
  );
}

const MOST_INPUTS = 15;

/** Adds `models drift` to the group. */
export function addDrift(group: Command): void {
  addMarketOptions(
    addRunOption(group.command('drift'))
      .description('whether the models still stand where they were validated')
      .option(
        '--detectors <list>',
        `alarms to raise, of ${DETECTOR_NAMES.join(', ')} (default: adwin,page-hinkley,hddm-a)`,
      ),
    ['until'],
  ).action(command(async (context, options) => drift(context, Options.parse(options)), { logs: false }));
}

async function drift(context: CommandContext, options: z.output<typeof Options>): Promise<void> {
  const { config, out } = context;
  const runId = runNamed(options);
  const registry = await projectRegistry(context);
  const trained = await loadTrained(config.checkpointDir, {
    registry,
    ...(runId !== undefined && { runId }),
  });
  for (const note of trained.notes) out.notice(note);
  const { panel, models, streams, inputs, regimes } = await driftOf(trained, openStore(config.dataDir), {
    registry,
    untilMs: options.until,
    detectors: options.detectors,
  });
  out.document({
    runId: trained.runId,
    synthetic: panel.synthetic,
    validatedUntil: formatTime(trained.validateUntilMs),
    until: formatTime(panel.untilMs),
    streams: streams.map((stream) => ({
      ...stream,
      alarms: stream.alarms.map(({ detector, timeMs }) => ({ detector, time: formatTime(timeMs) })),
    })),
    shiftedInputs: inputs,
    marketRegimes: regimes,
  });
  if (panel.synthetic) out.print('These candles are SYNTHETIC.');
  out.print(
    `${trained.runId}: validated until ${formatMinute(trained.validateUntilMs)}, watched until ${formatMinute(panel.untilMs)}.\n`,
  );
  const alarmed = streams.filter(({ alarms }) =>
    alarms.some(({ timeMs }) => timeMs > trained.validateUntilMs),
  );
  out.table(
    [
      'model',
      'symbol',
      'what',
      less('samples', 3),
      less('before', 5),
      less('since', 4),
      'alarms',
      less('last alarm', 1),
      less('by', 2),
    ],
    alarmed.map((stream) => row(stream)),
  );
  if (alarmed.length > 0) out.print(`\n${LEGEND}\n`);
  if (inputs.length > 0) {
    out.table(
      ['symbol', 'input', 'stability index'],
      inputs
        .slice(0, MOST_INPUTS)
        .map(({ symbol, feature, stabilityIndex }) => [symbol, feature, stabilityIndex.toFixed(2)]),
    );
    if (inputs.length > MOST_INPUTS)
      out.print(`... and ${inputs.length - MOST_INPUTS} more; --json has all.`);
    out.print();
  }
  if (regimes.length > 0) {
    out.table(
      ['symbol', 'state', less('mean %/day', 1), 'volatility %/day', 'training %', 'since %', 'now %'],
      regimes.flatMap(({ symbol, states }) =>
        states.map((state, i) => [
          i === 0 ? symbol : '',
          `${i + 1} of ${states.length}`,
          state.meanPctPerDay.toFixed(2),
          state.volatilityPctPerDay.toFixed(2),
          state.trainingPct.toFixed(0),
          state.sincePct?.toFixed(0) ?? '-',
          state.nowPct.toFixed(0),
        ]),
      ),
    );
    out.print(`\n${STATES_LEGEND}\n`);
  }
  const names = new Set(alarmed.map(({ model }) => model));
  out.print(
    `Alarms for ${names.size} of ${models} models; ${inputs.length} of ${panel.series.reduce((sum, { features }) => sum + features.names.length, 0)} inputs have shifted (index ${SHIFTED_FROM} or more, training bars against the bars since validation).`,
  );
  out.print(
    names.size > 0
      ? 'Next: train on newer bars and compare: crypto-trader train --name newer, then crypto-trader backtest --run newer'
      : 'No model stands elsewhere than where it was validated.',
  );
}

const STATES_LEGEND =
  'States of the market by a hidden Markov model on daily returns of the training bars, as many as the Bayesian information criterion asks for; training, since: share of days in each; now: its probability.';

const LEGEND =
  'before: mean on the validation bars; since: mean after them. direction: share of wrong directions; calibration: Brier score; residual: unexpected return in standard deviations. One decision per horizon, so that outcomes do not overlap.';

function row({ model, symbol, stream, samples, meanBefore, meanAfter, alarms }: WatchedStream): string[] {
  const last = alarms[alarms.length - 1];
  const figure = (value: number | undefined): string => value?.toFixed(3) ?? '-';
  return [
    model,
    symbol,
    stream,
    String(samples),
    figure(meanBefore),
    figure(meanAfter),
    String(alarms.length),
    formatMinute(last.timeMs),
    last.detector,
  ];
}
