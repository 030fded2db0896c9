import type { Contribution } from '../../lab/backtest/contributions.ts';
import { renderTable, type Section } from './page.ts';
import { figure } from './text.ts';

/** What each model does for the ensemble, by leaving it out. */
export function renderContributions(all: readonly Contribution[] | undefined): Section {
  const rows = (all ?? [])
    .toSorted((a, b) => b.returnPoints - a.returnPoints)
    .map((one) => [
      one.model,
      figure(one.returnPoints, 2),
      figure(one.withoutReturnPct),
      figure(one.withoutSharpe, 2),
    ]);
  return {
    id: 'contributions',
    title: 'What each model contributes',
    body:
      all === undefined
        ? '<p class="faint">Absent: it takes an ensemble of at least two models that vote from the first bar to the last. A walk-forward chooses them again in every fold.</p>'
        : `<p class="faint">The ensemble traded again without each model in turn, costs and all. Contributions do not add up to the result: two models that say the same replace each other, and an ensemble of fewer models takes larger positions more often, which moves the result whoever left.</p>
${renderTable(['model', 'adds, points of return', 'return % without it', 'Sharpe without it'], rows, { name: 'contributions' })}`,
  };
}
