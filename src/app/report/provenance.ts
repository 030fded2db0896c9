import { formatTime } from '../../core/foundation/time.ts';
import { CONVENTIONS } from '../../core/evaluation/metrics.ts';
import type { Assessment } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { renderTable, type Section } from './page.ts';
import { digits } from './text.ts';
import { keyWords, settingWords, valueWords } from './words.ts';

/** Figure by figure: its name, of the ensemble, of the benchmark, how it is computed. */
export function figureRows({ ensemble, benchmark }: Backtest): readonly (readonly string[])[] {
  const value = (one: Assessment, name: string): string => {
    const found = Object.entries(one.metrics).find(([key]) => key === name)?.[1] as unknown;
    return typeof found === 'number' ? digits(found, 4) : '-';
  };
  return Object.entries(CONVENTIONS).map(([name, convention]) => [
    keyWords(name),
    value(ensemble, name),
    value(benchmark, name),
    convention,
  ]);
}

export function renderFigures(result: Backtest): Section {
  const { ensemble, benchmark } = result;
  const rows = figureRows(result);
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

/** Setting by setting, with every hash. */
export function settingRows(
  { market, setting }: Backtest,
  about: Provenance,
): readonly (readonly string[])[] {
  return [
    ['Candles', `${about.exchange} ${about.timeframe}${about.synthetic ? ' (SYNTHETIC)' : ''}`],
    ['Symbols', about.symbols.join(', ')],
    ['Range', `${formatTime(about.fromMs)} to ${formatTime(about.untilMs)}`],
    ['Bars', String(market.time.length)],
    ['Missing bars', String(about.missingBars)],
    ['SHA-256 of the candles', about.dataFingerprint],
    ['Models', about.trainedBy],
    ['Seed', String(about.seed)],
    ...Object.entries(setting.rules).map(([key, value]) => settingWords(key, value)),
    ...setting.instruments.map(({ symbol, ...steps }) => [`Orders of ${symbol}`, valueWords(steps)]),
  ];
}

export function renderSettings(result: Backtest, about: Provenance, document: object | undefined): Section {
  const rows = [...settingRows(result, about), ...documentRows(document)];
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

/** What else a kept document says of where it comes from: every setting that was asked for, program, machine, weights. */
function documentRows(document: object | undefined): readonly (readonly string[])[] {
  if (document === undefined) return [];
  const found = Object.entries(document) as readonly (readonly [string, unknown])[];
  return found.flatMap(([key, value]) =>
    ['id', 'time', 'program', 'machine', 'settings', 'weights'].includes(key)
      ? isRecord(value)
        ? Object.entries(value).map(([inner, one]) => [
            key === 'weights' ? `Weights of ${inner}` : `${keyWords(key)}: ${keyWords(inner)}`,
            valueWords(one),
          ])
        : [[keyWords(key), valueWords(value)]]
      : [],
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
