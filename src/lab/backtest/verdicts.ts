import { formatMinute } from '../../core/foundation/time.ts';
import { money } from './money.ts';
import { LEAST_BARS } from './outcome.ts';
import type { Assessment } from './assess.ts';
import type { Backtest } from './backtest.ts';
import type { TrialSummary } from './trial-summary.ts';

/** Sentences about a backtest, the same in the terminal and in the report. A figure without a meaning has none. */
export function verdicts(result: Backtest): readonly string[] {
  return [
    votes(result),
    account(result),
    costs(result),
    timing(result),
    selection(result),
    superiority(result),
    ...intrabar(result),
  ].filter((line) => line !== undefined);
}

/** Who is left out of the ensemble, and why. */
function votes({ members }: Backtest): string | undefined {
  const silent = members.flatMap(({ strategy: { name, noSkill } }) =>
    noSkill === undefined ? [] : [`${name}: ${noSkill}`],
  );
  return silent.length === 0
    ? undefined
    : `No skill on the validation bars, so no vote: ${silent.join('; ')}.`;
}

/** What an account on borrowed money was charged beside its trades, and how often it was closed by force. */
function account({ setting, ensemble: { run } }: Backtest): string | undefined {
  const { account: rules } = setting.rules;
  if (rules === undefined) return undefined;
  const { fundingQuote, interestQuote } = run.portfolio;
  const closed = run.fills.filter(({ cause }) => cause === 'liquidation').length;
  const forced = closed === 0 ? 'no liquidation' : `${closed} liquidation${closed === 1 ? '' : 's'}`;
  if (rules.kind === 'margin')
    return `Margin account, leverage up to ${rules.leverage}: interest paid ${interestQuote.toFixed(2)}, ${forced}.`;
  const funding =
    rules.funding === 'waived'
      ? 'funding waived, none is charged'
      : `funding ${fundingQuote < 0 ? 'paid' : 'received'} ${Math.abs(fundingQuote).toFixed(rules.kind === 'inverse' ? 6 : 2)}`;
  return `Perpetuals (${rules.kind}, ${rules.marginMode} margin), leverage up to ${rules.leverage}: ${funding}, ${forced}.`;
}

/** What a deflated Sharpe ratio is measured against, in words. */
export function trialsText({ count, effective }: TrialSummary): string {
  const rules = count === 1 ? 'One decision rule was' : `${count} decision rules were`;
  const bets = effective === count ? '' : `, ${effective} different bets by their returns`;
  return `${rules} tried on this market so far${bets}. Deflated Sharpe: the probability that the true Sharpe exceeds what the best of ${effective} without skill would show by luck.`;
}

/** What became of those that have no ratios, and why: first what is worst. */
export function outcomeLines({ ensemble, members, benchmark, market, setting }: Backtest): readonly string[] {
  const all = [ensemble, ...members, benchmark];
  const ruined = all.flatMap(({ outcome, strategy }) =>
    outcome.kind === 'ruined'
      ? [
          `RUINED: ${strategy.name} lost all of the account in the bar of ${formatMinute(outcome.time)}${outcome.shortfallQuote > 0 ? `, and ${money(outcome.shortfallQuote, setting.rules.initialBalance)} more than it held` : ''}. Nothing trades after that, and no ratio is given.`,
        ]
      : [],
  );
  const silent = new Map<string, string[]>();
  for (const { outcome, strategy } of all) {
    if (outcome.kind !== 'never-traded' && outcome.kind !== 'no-evidence') continue;
    const what = outcome.kind === 'never-traded' ? 'Never traded' : 'No verdict';
    const key = `${outcome.why}\n${what}`;
    silent.set(key, [...(silent.get(key) ?? []), strategy.name]);
  }
  return [
    ...ruined,
    ...[...silent].map(([key, names]) => {
      const [why, what] = key.split('\n');
      const who = names.length === all.length && all.length > 1 ? 'all strategies' : names.join(', ');
      return `${what} (${who}): ${why}.`;
    }),
    ...(market.time.length < LEAST_BARS && silent.size === 0
      ? [`${market.time.length} bars are too few for any ratio.`]
      : []),
  ];
}

/** "never traded" and "RUINED" stand where a return would. */
export function returnText({ outcome, metrics }: Assessment): string {
  if (outcome.kind === 'never-traded') return 'never traded';
  return outcome.kind === 'ruined' ? 'RUINED -100.0' : metrics.totalReturnPct.toFixed(1);
}

function costs({ costs: curve }: Backtest): string | undefined {
  if (curve === undefined) return undefined;
  const at = curve.points.map((point) => `${point.costBps} bp ${point.totalReturnPct.toFixed(1)} %`);
  return `Costs per side and what the ensemble then returns: ${at.join(', ')}; ${breakEven(curve)}.`;
}

function breakEven({ breakEvenBps, points }: NonNullable<Backtest['costs']>): string {
  if (breakEvenBps !== undefined) return `break-even at ${breakEvenBps} bp`;
  if (points[0].totalReturnPct > 0) return 'no break-even below 200 bp';
  return points[0].totalReturnPct < 0 ? 'it loses even for free' : 'it earns nothing even for free';
}

function timing({ timing: test }: Backtest): string | undefined {
  if (test === undefined) return undefined;
  return `Timing test: of ${test.shifts} runs with the same decisions shifted in time, ${(100 * test.asGoodShare).toFixed(0)} % did at least as well (median ${test.medianReturnPct.toFixed(1)} %).`;
}

function selection({ overfitting }: Backtest): string | undefined {
  if (overfitting === undefined) return undefined;
  const { strategies, splits, probability, neverTraded, identical, everyCandidateLost } = overfitting;
  const left = [
    ...(neverTraded > 0 ? [`${neverTraded} that never traded`] : []),
    ...(identical > 0 ? [`${identical} identical to another`] : []),
  ];
  const without = left.length === 0 ? '' : ` (without ${left.join(' and ')})`;
  if (everyCandidateLost)
    return `All ${strategies} strategies${without} lost money: there is no best one worth picking, and no probability of overfitting (PBO) would make one.`;
  return `Picking the best of ${strategies} strategies${without} on one half of the bars would have given a below-average one on the other half in ${(100 * probability).toFixed(0)} % of ${splits} splits (PBO).`;
}

function superiority({ superiority: test, benchmark }: Backtest): string | undefined {
  if (test === undefined) return undefined;
  const names = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
  return `Against ${benchmark.strategy.name}: luck alone makes the best of ${test.strategies} look this good with p = ${test.spaPValue.toFixed(2)} (Hansen's SPA; White's reality check ${test.realityCheckPValue.toFixed(2)}). Better, with a 5 % chance of one false name (StepM): ${names(test.superior)}. Not to be told from the best at 90 % (model confidence set): ${names(test.confidenceSet)}.`;
}

function intrabar({ intrabar: orders }: Backtest): readonly string[] {
  const returns = orders.map(({ totalReturnPct }) => `${totalReturnPct.toFixed(1)} %`);
  if (new Set(returns).size === 1)
    return [`When one bar reaches stop and target, in any order: ${returns[0]}.`];
  return orders.map(({ order }, i) => `When one bar reaches stop and target, ${order}: ${returns[i]}.`);
}
