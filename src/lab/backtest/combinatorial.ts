import type { Panel } from '../../core/dataset/panel.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { forecastEnsemble } from '../../learning/ensemble/equal-weight.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import type { CombinatorialMember } from '../../learning/validation/combinatorial.ts';
import { type Setting, trade } from './assess.ts';
import { marketOf } from './strategies.ts';

/** A strategy's Sharpe ratio over the paths of combinatorial cross-validation. */
export interface PathDistribution {
  readonly name: string;
  /** Path by path; `undefined` where it never traded. */
  readonly sharpes: readonly (number | undefined)[];
  readonly totalReturnsPct: readonly number[];
  /** Of the ratios that are defined. */
  readonly median: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly shareBelowZero: number | undefined;
}

/** Every model and their ensemble, each by its own positions, traded on every path. */
export function pathDistributions(
  panel: Panel,
  members: readonly CombinatorialMember[],
  terms: Pick<Setting, 'instruments' | 'rules' | 'barsPerYear' | 'seed'>,
): readonly PathDistribution[] {
  const { market, targetsOf } = marketOf(panel, { fromMs: -Infinity, untilMs: Infinity });
  const setting = { ...terms, market };
  const over = (
    name: string,
    kind: 'model' | 'baseline' | 'ensemble',
    paths: readonly (readonly Forecast[])[],
  ): PathDistribution => {
    const traded = paths.map((forecasts) =>
      trade({ name, kind, targets: targetsOf(forecasts) }, setting, undefined),
    );
    const sharpes = traded.map(({ metrics }) => metrics.sharpe);
    const known = sharpes.filter((ratio) => ratio !== undefined).sort((a, b) => a - b);
    return {
      name,
      sharpes,
      totalReturnsPct: traded.map(({ metrics }) => metrics.totalReturnPct),
      median:
        known.length === 0 ? undefined : (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2,
      low: known[0],
      high: known.at(-1),
      shareBelowZero:
        known.length === 0 ? undefined : known.filter((ratio) => ratio < 0).length / known.length,
    };
  };
  const voters = votersOf(members);
  const ensemble = members[0].paths.map((_, p) =>
    panel.series.map((__, s) => forecastEnsemble(voters.map(({ paths }) => paths[p][s]))),
  );
  return [
    ...(voters.length > 1 ? [over('ensemble', 'ensemble', ensemble)] : []),
    ...members.map(({ model, paths }) =>
      over(model.id, model.kind === 'baseline' ? 'baseline' : 'model', paths),
    ),
  ];
}
