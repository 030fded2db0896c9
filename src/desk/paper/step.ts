import type { Account } from './account.ts';
import type { Bar } from './bar.ts';
import type { BarRecord } from './record.ts';

/** What was decided at the close of a bar. */
export type Decision = Pick<BarRecord, 'runId' | 'decision' | 'targets' | 'models'>;

/** The one path of a bar through the account, live and in a replay. */
export function advanceAccount(
  account: Account,
  bar: Bar,
  { decision, targets }: Pick<Decision, 'decision' | 'targets'>,
): Pick<BarRecord, 'events' | 'cash' | 'equity' | 'positions'> {
  const events = [...account.see(bar)];
  if (decision === 'placed') account.place(targets);
  return { events, cash: account.portfolio.cash, equity: account.equity(), positions: account.positions() };
}
