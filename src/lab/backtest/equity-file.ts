import { formatTime } from '../../core/foundation/time.ts';
import type { Backtest } from './backtest.ts';

/** Every equity curve, and exposure of the ensemble, at bar closes as CSV; numbers with all their digits. */
export function equityCsv({ market, ensemble, members, benchmark }: Backtest): string {
  const curves = [ensemble, ...members, benchmark];
  const lines = [['time', ...curves.map(({ strategy }) => csvName(strategy.name)), 'exposure'].join(',')];
  for (let row = 0; row < market.time.length; row++) {
    const time = formatTime(market.time[row]);
    lines.push([time, ...curves.map(({ run }) => run.equity[row]), ensemble.run.exposure[row]].join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** Names of a user's own models as a field (RFC 4180) that no spreadsheet takes for a formula. */
const csvName = (name: string): string => {
  const plain = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};
