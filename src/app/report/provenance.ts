import { CONVENTIONS } from '../../core/evaluation/metrics.ts';
import type { Assessment } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { renderTable, type Section } from './page.ts';
import { digits } from './text.ts';
import { keyWords, settingWords, valueWords } from './words.ts';

/** Every figure with how it is computed. */
export function renderFigures({ ensemble, benchmark }: Backtest): Section {
  const value = (one: Assessment, name: string): string => {
    const found = Object.entries(one.metrics).find(([key]) => key === name)?.[1] as unknown;
    return typeof found === 'number' ? digits(found, 4) : '-';
  };
  const rows = Object.entries(CONVENTIONS).map(([name, convention]) => [
    keyWords(name),
    value(ensemble, name),
    value(benchmark, name),
    convention,
  ]);
  return {
    id: 'figures',
    title: 'Figures and their conventions',
    body: renderTable(
      ['figure', ensemble.strategy.name, benchmark.strategy.name, 'how it is computed'],
      rows,
      {
        name: 'figures',
        textColumns: [0, 3],
        longColumns: [3],
      },
    ),
  };
}

/** Every setting and every hash. */
export function renderSettings({ market, setting }: Backtest, about: Provenance): Section {
  const rows = [
    ['Candles', `${about.exchange} ${about.timeframe}${about.synthetic ? ' (SYNTHETIC)' : ''}`],
    ['Symbols', about.symbols.join(', ')],
    ['Range', `${new Date(about.fromMs).toISOString()} to ${new Date(about.untilMs).toISOString()}`],
    ['Bars', String(market.time.length)],
    ['Missing bars', String(about.missingBars)],
    ['SHA-256 of the candles', about.dataFingerprint],
    ['Models', about.trainedBy],
    ['Seed', String(about.seed)],
    ...Object.entries(setting.rules).map(([key, value]) => settingWords(key, value)),
    ...setting.instruments.map(({ symbol, ...steps }) => [`Orders of ${symbol}`, valueWords(steps)]),
  ];
  return {
    id: 'settings',
    title: 'Where the numbers come from',
    body: renderTable(['setting', 'value'], rows, {
      name: 'settings',
      textColumns: [0, 1],
      longColumns: [1],
    }),
  };
}
