import { confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import type { FinishedRun } from '../../learning/training/train.ts';

/** What a backtest came to, and what to do next: its last lines. */
export function backtestConclusion(
  { ensemble, benchmark, setting }: Backtest,
  about: Pick<Provenance, 'trials' | 'synthetic' | 'warnings'>,
  {
    report,
    run,
    restsOnSkill,
  }: {
    readonly report: string | undefined;
    readonly run: string;
    readonly restsOnSkill: boolean | undefined;
  },
): string {
  const look = report === undefined ? `crypto-trader backtest${run} --report report.html` : `open ${report}`;
  if (ensemble.outcome.kind === 'never-traded')
    return `Result: the ensemble never traded, so there is nothing to judge.\nNext: ${restsOnSkill ? `crypto-trader backtest${run} --strategy own, for what the models would do by their own rules` : look}`;
  if (ensemble.outcome.kind === 'ruined')
    return `Result: the ensemble lost the whole account.\nNext: ${look}`;
  if (ensemble.outcome.kind === 'no-evidence')
    return `Result: too little happened for a verdict.\nNext: crypto-trader fetch, for more bars`;
  const { totalReturnPct95: band } = confidence(ensemble, setting.barsPerYear, about.trials);
  const own = ensemble.metrics.totalReturnPct;
  const held = benchmark.metrics.totalReturnPct;
  const within = band === undefined ? '' : ` (95 % CI ${band.low.toFixed(1)} .. ${band.high.toFixed(1)})`;
  const result = `Result: after costs the ensemble returned ${own.toFixed(1)} %${within}, buy and hold ${held.toFixed(1)} %`;
  if (about.synthetic)
    return `${result}; on synthetic candles that says nothing.\nNext: crypto-trader fetch, for real ones`;
  if (about.warnings.some((warning) => warning.startsWith('IN SAMPLE')))
    return `${result}; in sample that says nothing.\nNext: crypto-trader backtest${run}, on bars that training has not seen`;
  return band !== undefined && band.low > 0 && own > held
    ? `${result}: worth a paper session.\nNext: crypto-trader paper${run}`
    : `${result}: ${own > held ? 'more, but not beyond doubt a gain' : 'no reason to trade it'}.\nNext: ${look}`;
}

/** What the validation scores of a run come to. */
export function trainingConclusion({ members }: FinishedRun): string {
  const judged = members.flatMap(({ id, model, manifest }) => {
    const interval = manifest.metrics.directionalAccuracyIntervalPct;
    return interval === undefined || model.kind === 'baseline' ? [] : [{ id, low: interval[0] }];
  });
  if (judged.length === 0) return 'Result: no model took a position on the validation bars.';
  const above = judged.filter(({ low }) => low > 50).map(({ id }) => id);
  const which = above.length === 0 ? '' : ` (${above.join(', ')})`;
  return `Result: ${above.length} of ${judged.length} hit rates${which} ${above.length === 1 ? 'lies' : 'lie'} above 50 % with the whole interval; of models without skill one in 40 would.`;
}
