import { requireWritable } from '../../data/files.ts';
import { forecastFans } from '../../lab/backtest/fans.ts';
import { votesOverTime } from '../../lab/backtest/votes.ts';
import { reportEnding, writeReport as write } from '../report/write-report.ts';
import type { FinishedBacktest } from './run-backtest.ts';

/** Before hours of work: the file can be one, and its ending says what it is to be. */
export async function requireReport(file: string): Promise<void> {
  reportEnding(file);
  await requireWritable(file);
}

export const writeReport = (
  file: string,
  { result, about, source, contributions }: FinishedBacktest,
  document: object,
): Promise<void> =>
  write(file, result, about, {
    document,
    explanations: source.explanations,
    contributions,
    fans: forecastFans(source),
    votes: votesOverTime(source),
  });
