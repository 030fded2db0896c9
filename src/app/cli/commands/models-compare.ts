import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../../core/foundation/errors.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { readMember } from '../../../learning/training/member-folder.ts';
import { findRun, type RunFolder, type RunPlan } from '../../../learning/training/run-folder.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import type { ForecastScore } from '../../../learning/validation/score.ts';
import { describeRun } from '../../workflows/runs.ts';
import { command, type CommandContext } from '../command.ts';
import { projectRegistry } from '../project-plugins.ts';

/** Adds `models compare` to the group. */
export function addCompare(group: Command): void {
  group
    .command('compare')
    .argument('<run>')
    .argument('<other>')
    .description('two runs side by side: what was asked for, and how each model did on the validation bars')
    .action(
      command(async (context, _options, first, second) => compare(context, [first, second]), { logs: false }),
    );
}

/** What a run was asked for, one line a setting, as its reader names it. */
const SETTINGS: Readonly<Record<string, (plan: RunPlan) => string>> = {
  mode: ({ mode }) => mode,
  seed: ({ seed, seeds }) => `${seed}${seeds > 1 ? ` and ${seeds - 1} more` : ''}`,
  market: ({ exchange, symbols, timeframe }) => `${exchange} ${symbols.join(' ')} ${timeframe}`,
  'trained on': ({ sinceMs, trainUntilMs }) => `${formatMinute(sinceMs)} .. ${formatMinute(trainUntilMs)}`,
  'validated on': ({ trainUntilMs, validateUntilMs }) =>
    `${formatMinute(trainUntilMs)} .. ${formatMinute(validateUntilMs)}`,
  candles: ({ dataFingerprint, synthetic }) =>
    `${dataFingerprint.slice(0, 12)}${synthetic ? ' SYNTHETIC' : ''}`,
  'costs per side': ({ feeBps, slippageBps }) => `${feeBps} + ${slippageBps} bp`,
  from: ({ from }) => from?.run ?? '-',
  'without features of': ({ absentGroups }) => absentGroups.join(', ') || '-',
};

/** What the figures of two runs have to have in common. */
const ONE_MEASURE = ['market', 'validated on', 'costs per side'];

async function compare(context: CommandContext, names: readonly string[]): Promise<void> {
  const { config, out } = context;
  const registry = await projectRegistry(context);
  const runs = await Promise.all(names.map((name) => findRun(config.checkpointDir, name)));
  const unfinished = runs.find(({ result }) => result === undefined);
  if (unfinished !== undefined)
    throw new UserError(`The run "${unfinished.runId}" is not complete: there is nothing to compare yet.`, {
      hint: `Finish it: crypto-trader train --mode resume --run ${unfinished.runId}`,
    });
  const scores = await Promise.all(runs.map((run) => scoresOf(run, registry)));
  const rows = [...new Set(scores.flatMap((found) => [...found.keys()]))];
  const settings = Object.entries(SETTINGS).map(([name, of]) => ({
    name,
    values: runs.map(({ plan }) => of(plan)),
  }));
  const differs = ({ values: [first, ...rest] }: { readonly values: readonly string[] }): boolean =>
    rest.some((value) => value !== first);
  const apart = settings.filter((one) => ONE_MEASURE.includes(one.name) && differs(one));
  const changed = rows.filter((id) => differs({ values: runs.map(({ plan }) => paramsText(plan, id)) }));
  out.document({
    runs: runs.map((run) => describeRun(run, undefined)),
    comparable: apart.length === 0,
    differences: settings.filter(differs),
    otherParameters: changed,
    models: rows.map((id) => ({ id, scores: scores.map((found) => found.get(id)) })),
  });
  out.table(
    ['', ...runs.map(({ runId }) => runId), 'same'],
    settings.map((one) => [one.name, ...one.values, differs(one) ? 'NO' : 'yes']),
  );
  out.print();
  out.table(
    ['model', ...runs.flatMap(({ runId }) => [`hit rate % ${runId}`, `net return % ${runId}`]), 'parameters'],
    rows.map((id) => [
      id,
      ...scores.flatMap((found) => figures(found.get(id))),
      scores.some((found) => !found.has(id)) || id === ENSEMBLE
        ? ''
        : changed.includes(id)
          ? 'other'
          : 'same',
    ]),
  );
  out.print(
    apart.length > 0
      ? `\nThe figures do not compare: ${apart.map(({ name }) => name).join(', ')} differ.`
      : '\nBoth were validated on the same bars. A difference within the intervals that models show prints is no finding.',
  );
  out.print(
    `Next: crypto-trader models activate <run>, or backtest --run <run> on bars that neither has seen.`,
  );
}

const ENSEMBLE = 'ensemble';

/** The validation scores of a run's models, its ensemble last. */
async function scoresOf(run: RunFolder, registry: Registry): Promise<ReadonlyMap<string, ForecastScore>> {
  const found = new Map<string, ForecastScore>();
  for (const id of run.result?.models ?? []) {
    const member = await readMember(join(run.path, id), { run, registry });
    if (member !== undefined) found.set(id, member.manifest.metrics);
  }
  if (run.result !== undefined) found.set(ENSEMBLE, run.result.ensemble.metrics);
  return found;
}

const paramsText = ({ models }: RunPlan, id: string): string =>
  JSON.stringify(models.find((model) => model.id === id)?.params ?? {});

const figures = (score: ForecastScore | undefined): readonly string[] =>
  score === undefined
    ? ['-', '-']
    : [score.directionalAccuracyPct?.toFixed(1) ?? '-', score.netReturnPct.toFixed(1)];
