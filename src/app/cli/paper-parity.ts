import { CheckFailed } from '../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import { openStore } from '../../data/store/store.ts';
import { loadHindsight } from '../../desk/paper/hindsight.ts';
import {
  compareWithBacktest,
  type Parity,
  type ParityCause,
  type TradeDifference,
} from '../../desk/paper/parity.ts';
import { ensembleOf } from '../../desk/paper/record.ts';
import { findSession, sessionFolder } from '../../desk/paper/sessions.ts';
import { readLedger } from '../../desk/paper/ledger.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import { allSeedsOf } from '../../learning/ensemble/voters.ts';
import { loadTrained } from '../../learning/training/checkpoints.ts';
import { configuredInstruments } from '../config/execution.ts';
import type { CommandContext } from './command.ts';
import { prose } from './table.ts';

const CAUSES: readonly (readonly [ParityCause, string])[] = [
  ['missed-bars', 'decisions missed while the program was away'],
  ['paused', 'decisions held back by `paper pause` or `paper flatten`'],
  ['candles', 'stored candles that differ from those the session saw'],
  ['forecasts', 'forecasts that differ when they are computed from the whole store'],
  ['changed-models', 'bars decided by another training run'],
  ['exchange-steps', "the exchange's steps and minimums in place of the configured ones"],
];

interface ParityOptions {
  readonly name?: string | undefined;
  readonly run?: string | undefined;
  /** Round orders by `trading.amountStep` and `trading.minNotional`, as a backtest does, not by the exchange's rules. */
  readonly configuredSteps: boolean;
}

/** `paper parity`: the session's bars through the backtest, trade by trade. Exit code 3 when any trade differs. */
export async function parity({ config, out }: CommandContext, options: ParityOptions): Promise<void> {
  const name = await findSession(config.dataDir, options.name);
  const { session, bars } = await readLedger(sessionFolder(config.dataDir, name));
  const last = bars.at(-1);
  if (last === undefined) {
    out.document({ session: name, bars: 0, differences: [] });
    out.print(`Paper session ${name} has processed no bar yet: there is nothing to compare.`);
    return;
  }
  const trained = await loadTrained(config.checkpointDir, {
    runId: options.run ?? last.runId,
    allSeedsOf: allSeedsOf(chooseEnsemble(ensembleOf(session).id, ensembleOf(session).params).method),
  });
  try {
    const hindsight = await loadHindsight(openStore(config.dataDir), trained, session, bars);
    const instruments = options.configuredSteps
      ? configuredInstruments(config.trading, trained.symbols)
      : session.instruments;
    const result = compareWithBacktest(session, bars, { ...hindsight, instruments });
    report(out, name, result);
    if (result.differences.length > 0)
      throw new CheckFailed(
        `${result.differences.length} of ${Math.max(result.sessionTrades, result.backtestTrades)} trades differ from the backtest.`,
      );
  } finally {
    for (const { fitted } of trained.members) fitted.dispose?.();
  }
}

function report(out: CommandContext['out'], name: string, result: Parity): void {
  const { differences, affectedBars, ...totals } = result;
  out.document({
    session: name,
    ...totals,
    affectedBars,
    differences: differences.map(({ entryTime, ...rest }) => ({ entryTime: formatTime(entryTime), ...rest })),
  });
  out.print(
    `Paper session ${name}: ${totals.bars} bars, ${totals.sessionTrades} closed trades, equity ${totals.sessionEquity.toFixed(2)}; the backtest of the same bars: ${totals.backtestTrades} closed trades, equity ${totals.backtestEquity.toFixed(2)}.`,
  );
  for (const [cause, text] of CAUSES)
    if (affectedBars[cause] > 0) out.print(`${affectedBars[cause]} bars: ${text}.`);
  if (differences.length === 0) out.print('Every trade is the same to the bit.');
  else
    out.table(
      ['entry', 'symbol', prose('session'), prose('backtest'), prose('cause')],
      differences.map(({ entryTime, symbol, session, backtest, causes }) => [
        formatMinute(entryTime),
        symbol,
        tradeText(session),
        tradeText(backtest),
        causes.join(', '),
      ]),
    );
}

const tradeText = (trade: TradeDifference['session']): string =>
  trade === undefined
    ? 'none'
    : `${trade.side}, closed ${formatMinute(trade.exitTime)}: ${trade.profitQuote.toFixed(2)}`;
