import { costWords } from '../report/cost-words.ts';
import { backtestDocument } from '../../lab/backtest/document.ts';
import { cashReturnPct, otherBenchmarks } from '../../lab/backtest/benchmarks.ts';
import { equityCsv } from '../../lab/backtest/equity-file.ts';
import { forecastLines } from '../../lab/backtest/forecast-text.ts';
import { outcomeLines, trialsText, verdicts } from '../../lab/backtest/verdicts.ts';
import { type BacktestArchive, backtestId, keepBacktest, keptPaths } from '../workflows/kept-backtests.ts';
import { describeMachine, identifyProgram } from '../workflows/program.ts';
import type { CommandContext } from './command.ts';
import { join } from 'node:path';
import { formatTime } from '../../core/foundation/time.ts';
import type { FinishedBacktest } from './run-backtest.ts';

export const archiveOf = ({ config }: CommandContext): BacktestArchive => ({
  folder: join(config.dataDir, 'backtests'),
  most: config.backtest.kept,
});

/** Everything there is to say of a finished backtest, and what it takes to run it again. */
export function documentOf(
  {
    source,
    result,
    about,
    edges,
    contributions,
    sleeves,
    audit,
    accountSources,
    weights,
    request,
    settings,
  }: FinishedBacktest,
  { id, timeMs, equityCurve }: { readonly id: string; readonly timeMs: number; readonly equityCurve: string },
) {
  const { strategy } = request;
  return {
    id,
    time: formatTime(timeMs),
    program: identifyProgram(),
    machine: describeMachine(),
    settings,
    weights,
    memberSeeds: source.memberSeeds,
    ...backtestDocument(result, about, equityCurve),
    strategy,
    ...(sleeves !== undefined && { sleeves }),
    ...(audit !== undefined && { audit: audit.findings, auditedAt: audit.time }),
    ...(accountSources.length > 0 && { accountSources }),
    ...(Object.keys(edges).length > 0 && { edges }),
    contributions:
      contributions?.map((one) => ({ ...one, withoutSharpe: one.withoutSharpe ?? null })) ?? null,
    benchmarks: [
      ...otherBenchmarks(result).map(({ strategy: { name }, metrics }) => ({ name, ...plain(metrics) })),
      { name: 'cash', ratePct: result.setting.cashRatePct ?? 0, totalReturnPct: cashReturnPct(result) },
    ],
    costTerms: costWords(result.setting.rules),
    trials: about.trials,
    sentences: [
      ...outcomeLines(result),
      ...verdicts(result),
      ...forecastLines(result.forecasts),
      trialsText(about.trials),
    ],
  };
}

/** Keeps a finished backtest in the project; its document, as `--json` prints it. */
export async function keepFinished(
  context: CommandContext,
  finished: FinishedBacktest,
  timeMs: number,
): Promise<ReturnType<typeof documentOf>> {
  const archive = archiveOf(context);
  const equity = equityCsv(finished.result);
  const id = backtestId(timeMs, equity);
  const document = documentOf(finished, { id, timeMs, equityCurve: keptPaths(archive, id).equity });
  await keepBacktest(archive, document, equity);
  return document;
}

/** A figure that is not defined keeps its key. */
const plain = (figures: object): object =>
  Object.fromEntries(Object.entries(figures).map(([key, value]: [string, unknown]) => [key, value ?? null]));
