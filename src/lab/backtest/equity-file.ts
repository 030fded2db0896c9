import { writeFileAtomic } from '../../data/files.ts';
import type { Backtest } from './backtest.ts';

/** Writes every equity curve, and exposure of the ensemble, at bar closes as CSV. */
export async function writeEquityCurve(
  file: string,
  { market, ensemble, members, benchmark }: Backtest,
): Promise<void> {
  const curves = [ensemble, ...members, benchmark];
  const lines = [['time', ...curves.map(({ strategy }) => strategy.name), 'exposure'].join(',')];
  for (let row = 0; row < market.time.length; row++) {
    const time = new Date(market.time[row]).toISOString();
    lines.push([time, ...curves.map(({ run }) => run.equity[row]), ensemble.run.exposure[row]].join(','));
  }
  await writeFileAtomic(file, `${lines.join('\n')}\n`);
}
