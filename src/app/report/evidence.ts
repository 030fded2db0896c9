import { formatTime } from '../../core/foundation/time.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { backtestDocument, type Provenance } from '../../lab/backtest/document.ts';
import { excursions } from '../../lab/backtest/excursions.ts';

/**
 * What a report says, for a program to read and to check: the element `evidence` holds it as JSON. `document` is the one
 * that `backtest --json` prints, with data hash, settings, seed, trials, program and machine where the backtest is kept,
 * without its fills; its trades are columns, with their excursions.
 */
export interface Evidence {
  readonly format: 'crypto-trader evidence';
  readonly version: 1;
  readonly document: object;
  readonly trades: Readonly<Record<string, readonly unknown[]>>;
}

export function evidenceOf(result: Backtest, about: Provenance, document?: object): Evidence {
  const whole: object = document ?? backtestDocument(result, about, '');
  const { market, setting, ensemble } = result;
  const { trades } = ensemble.run;
  const found = excursions(
    trades,
    setting.instruments.map(({ symbol }) => symbol),
    market,
  );
  const column = <T>(of: (trade: (typeof trades)[number], i: number) => T): readonly T[] => trades.map(of);
  return {
    format: 'crypto-trader evidence',
    version: 1,
    document: Object.fromEntries(
      Object.entries(whole).filter(([key]) => key !== 'fills' && key !== 'trades'),
    ),
    trades: {
      symbol: column(({ symbol }) => symbol),
      side: column(({ side }) => side),
      entryTime: column(({ entryTime }) => formatTime(entryTime)),
      exitTime: column(({ exitTime }) => formatTime(exitTime)),
      barsHeld: column(({ barsHeld }) => barsHeld),
      entryPrice: column(({ entryPrice }) => entryPrice),
      exitPrice: column(({ exitPrice }) => exitPrice),
      baseAmount: column(({ baseAmount }) => baseAmount),
      feeQuote: column(({ feeQuote }) => feeQuote),
      profitQuote: column(({ profitQuote }) => profitQuote),
      profitPct: column(({ profitPct }) => profitPct),
      maePct: column((_, i) => short(found[i].maePct)),
      mfePct: column((_, i) => short(found[i].mfePct)),
      exit: column(({ exit }) => exit),
    },
  };
}

/** They are made of the candles, and nothing is checked against them. */
const short = (value: number): number => Number(value.toPrecision(6));
