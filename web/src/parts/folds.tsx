import { count, day, fixed, signed, tone } from '../format.ts';
import { Table } from './ui.tsx';

/** A fold of a walk-forward; the ensemble is first among its strategies, buy and hold last. */
export interface Fold {
  readonly trainedFrom: string;
  readonly trainedUntil: string;
  readonly testedFrom: string;
  readonly testedUntil: string;
  readonly bars: number;
  readonly strategies: readonly {
    readonly name: string;
    readonly returnPct: number;
    readonly sharpe: number | null;
  }[];
}

export function Folds({ folds }: { readonly folds: readonly Fold[] }) {
  const [from, until] = [
    Math.min(...folds.map((fold) => Date.parse(fold.trainedFrom))),
    Math.max(...folds.map((fold) => Date.parse(fold.testedUntil))),
  ];
  const share = (time: string): string => `${(100 * (Date.parse(time) - from)) / (until - from)}%`;
  const width = (a: string, b: string): string =>
    `${(100 * (Date.parse(b) - Date.parse(a))) / (until - from)}%`;
  return (
    <Table
      caption="Folds: what the models were fitted on, and what was made of the bars after"
      rows={folds.map((fold, i) => ({ ...fold, number: i + 1 }))}
      keyOf={({ number }) => String(number)}
      columns={[
        { head: 'Fold', cell: ({ number }) => number },
        {
          head: 'Fitted, then tested',
          less: true,
          cell: ({ trainedFrom, trainedUntil, testedFrom, testedUntil }) => (
            <span class="fold" aria-hidden="true">
              <i
                class="fitted"
                style={{ left: share(trainedFrom), width: width(trainedFrom, trainedUntil) }}
              />
              <i class="tested" style={{ left: share(testedFrom), width: width(testedFrom, testedUntil) }} />
            </span>
          ),
        },
        {
          head: 'Fitted on',
          less: true,
          cell: (fold) => (
            <span class="nowrap">
              {day(fold.trainedFrom)} – {day(fold.trainedUntil)}
            </span>
          ),
        },
        {
          head: 'Tested on',
          cell: (fold) => (
            <span class="nowrap">
              {day(fold.testedFrom)} – {day(fold.testedUntil)}
            </span>
          ),
        },
        { head: 'Bars', number: true, less: true, cell: ({ bars }) => count(bars) },
        {
          head: 'Ensemble',
          number: true,
          cell: ({ strategies }) => (
            <span class={tone(strategies[0]?.returnPct)}>{signed(strategies[0]?.returnPct, 1)}</span>
          ),
        },
        {
          head: 'Sharpe',
          number: true,
          less: true,
          cell: ({ strategies }) => fixed(strategies[0]?.sharpe),
        },
        {
          head: 'Holding',
          number: true,
          cell: ({ strategies }) => signed(strategies.at(-1)?.returnPct, 1),
        },
        {
          head: 'Best model',
          less: true,
          cell: ({ strategies }) => {
            const [best] = strategies
              .slice(1, -1)
              .filter(({ sharpe }) => sharpe !== null)
              .toSorted((a, b) => b.returnPct - a.returnPct);
            return (
              <span class="nowrap">
                {best === undefined ? '–' : `${best.name} ${signed(best.returnPct, 1)}`}
              </span>
            );
          },
        },
      ]}
    />
  );
}
