import type { Account } from './account.ts';
import type { Bar } from './bar.ts';
import type { BarRecord } from './record.ts';

/** What was decided at the close of a bar. */
export type Decision = Pick<
  BarRecord,
  'runId' | 'decision' | 'targets' | 'models' | 'noSkill' | 'wanted' | 'reasons' | 'ensemble'
>;

/** The one path of a bar through the account, live and in a replay. */
export function advanceAccount(
  account: Account,
  bar: Bar,
  { decision, targets }: Pick<Decision, 'decision' | 'targets'>,
): Pick<BarRecord, 'events' | 'cash' | 'equity' | 'positions' | 'verdicts'> {
  const events = [...account.see(bar)];
  if (decision === 'placed') account.place(targets);
  if (decision === 'flattened') account.place(targets.map(() => 0));
  // A pause holds decisions back, not the rule that closes everything.
  if (decision === 'paused') account.place(targets.map(() => null));
  const verdicts = account.verdicts();
  return {
    events,
    cash: account.portfolio.cash,
    equity: account.equity(),
    positions: account.positions(),
    ...(verdicts === undefined ? {} : { verdicts: [...verdicts] }),
  };
}
