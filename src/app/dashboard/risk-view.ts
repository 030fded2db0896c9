import { formatTime } from '../../core/foundation/time.ts';
import type { Protection } from '../../core/trading/risk/rules.ts';
import { describeVerdict } from '../../core/trading/risk/verdict-text.ts';
import type { Control } from '../../desk/paper/controls.ts';
import type { LedgerState } from './follow-ledger.ts';
import type { GaugeView, RiskView } from './view.ts';

/** Where a session stands against its limits. */
export function riskOf(state: LedgerState, control: Control | undefined, pid: number | undefined): RiskView {
  const limits = state.session.risk;
  return {
    control: control?.mode ?? 'trade',
    controlSince: control && formatTime(control.sinceMs),
    pid,
    killed: state.verdictCounts.has('drawdown-kill-switch') || isPassed(state),
    gauges: gaugesOf(state),
    protections: (limits?.protections ?? []).map(protectionText),
    verdicts: [...state.verdictCounts].map(([rule, count]) => ({ rule, count })),
    newest: state.verdicts
      .map(({ timeMs, verdict }) => ({ time: formatTime(timeMs), text: describeVerdict(verdict) }))
      .toReversed(),
  };
}

/** The worst drawdown so far has reached the limit at which everything is closed. */
const isPassed = ({ session: { risk }, maxDrawdown }: LedgerState): boolean =>
  risk?.maxDrawdownPct !== undefined && 100 * maxDrawdown >= risk.maxDrawdownPct;

function gaugesOf({ session, last, peak, dayEquity }: LedgerState): readonly GaugeView[] {
  const { rules, risk } = session;
  const equity = last?.equity ?? rules.initialBalance;
  const shares = (last?.positions ?? []).map(
    ({ baseAmount, markPrice }) => (100 * Math.abs(baseAmount * markPrice)) / equity,
  );
  const orders = (last?.events ?? []).filter((event) => event.kind === 'fill' && event.cause === 'target');
  const ceiling = (name: string, value: number, limit: number | undefined): GaugeView => ({
    name,
    value,
    limit,
    unit: '%',
    kind: 'ceiling',
  });
  return [
    ceiling('drawdown', last === undefined ? 0 : 100 * (1 - equity / peak), risk?.maxDrawdownPct),
    ceiling('loss today', Math.max(0, 100 * (1 - equity / dayEquity)), risk?.maxDailyLossPct),
    ceiling(
      'exposure',
      shares.reduce((sum, share) => sum + share, 0),
      rules.maxExposurePct,
    ),
    ceiling('largest position', Math.max(0, ...shares), rules.maxPositionPct),
    {
      name: 'orders in the last bar',
      value: orders.length,
      limit: risk?.maxOrdersPerMinute,
      unit: 'orders',
      kind: 'ceiling',
    },
    {
      name: 'cash',
      value: last?.cash ?? rules.initialBalance,
      limit: risk?.minBalance,
      unit: 'quote',
      kind: 'floor',
    },
  ];
}

/** One clause per protection, in bars. */
function protectionText(rule: Protection): string {
  switch (rule.kind) {
    case 'cooldown':
      return `cooldown: a symbol rests for ${rule.stopBars} bars after a trade`;
    case 'stop-loss-guard':
      return `stop-loss-guard: ${rule.tradeLimit} stops within ${rule.lookbackBars} bars stop trading for ${rule.stopBars}`;
    case 'max-drawdown':
      return `max-drawdown: ${rule.maxDrawdownPct} % lost within ${rule.lookbackBars} bars stops trading for ${rule.stopBars}`;
    case 'low-profit':
      return `low-profit: less than ${rule.requiredProfitPct} % within ${rule.lookbackBars} bars stops a symbol for ${rule.stopBars}`;
  }
}
