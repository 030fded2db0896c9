import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Bar } from '../paper/bar.ts';
import { catchUp } from '../paper/outlook.ts';
import type { Decision } from '../paper/step.ts';
import type { LiveLedger } from './ledger.ts';
import { planOrders } from './plan.ts';
import type { Standing } from './reconcile.ts';
import type { LiveBar } from './record.ts';
import { isCarriedOut } from './send.ts';
import { seeBar } from './state.ts';

/**
 * Takes a closed bar in: the account at its close, what the risk rules allow, the orders that follow. On disk when it returns, and
 * nothing of it is sent before. `prices`: last trades by instrument; `undefined` when nobody said.
 */
export async function decideBar(
  ledger: LiveLedger,
  bar: Bar,
  decision: Decision,
  given: {
    readonly standing: Standing;
    readonly dryRun: boolean;
    readonly prices: Float64Array | undefined;
    readonly nowMs: number;
  },
): Promise<LiveBar> {
  const { state } = ledger;
  const { account, session } = state;
  const last = state.last && ({ decision: isCarriedOut(state) ? 'placed' : 'missed' } as const);
  const wanted = decision.decision === 'placed' ? catchUp(decision, last) : decision;
  const kind = kindOf(wanted, { ...given, isHalted: state.halt !== undefined });
  const verdicts = [
    ...seeBar(state, {
      ...bar,
      candles: [...bar.candles].map(copy),
      targets: wanted.targets,
      decision: kind,
    }),
  ];
  const { prices } = given;
  const plans = prices !== undefined && PLANNING.has(kind);
  if (plans) verdicts.push(...account.collar(prices));
  const { planned, unplaced } = plans
    ? planOrders(account.portfolio, session.instruments, {
        prices,
        barMs: TIMEFRAME_MS[session.timeframe],
        collarPct: session.execution.collarPct,
      })
    : { planned: [], unplaced: [] };
  const record: LiveBar = {
    ...wanted,
    kind: 'bar',
    timeMs: bar.timeMs,
    processedAtMs: given.nowMs,
    candles: bar.candles.map(copy),
    cash: account.portfolio.cash,
    equity: account.equity(),
    positions: account.positions(),
    verdicts,
    decision: kind,
    planned,
    unplaced,
  };
  await ledger.write(record);
  return record;
}

const PLANNING: ReadonlySet<LiveBar['decision']> = new Set(['placed', 'flattened', 'paused', 'dry-run']);

const copy = (candle: readonly number[] | null): number[] | null => (candle === null ? null : [...candle]);

/** What becomes of a decision: the rehearsal wins over everything, then what is not known, then a stop. */
function kindOf(
  { decision }: Decision,
  {
    standing,
    dryRun,
    prices,
    isHalted,
  }: {
    readonly standing: Standing;
    readonly dryRun: boolean;
    readonly prices: Float64Array | undefined;
    readonly isHalted: boolean;
  },
): LiveBar['decision'] {
  if (decision === 'missed') return 'missed';
  if (dryRun) return decision === 'placed' && prices !== undefined ? 'dry-run' : 'missed';
  if (isHalted) return 'halted';
  if (standing.kind !== 'known') return 'unknown';
  return prices === undefined ? 'missed' : decision;
}
