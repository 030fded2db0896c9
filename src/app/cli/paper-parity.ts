import { CheckFailed } from '../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import { openStore } from '../../data/store/store.ts';
import type { Parity, ParityCause, TradeDifference } from '../../desk/paper/parity.ts';
import { configuredInstruments } from '../config/execution.ts';
import { sessionParity } from '../workflows/paper-parity.ts';
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
  const { name, parity: result } = await sessionParity({
    store: openStore(config.dataDir),
    dataDir: config.dataDir,
    checkpointDir: config.checkpointDir,
    session: options.name,
    run: options.run,
    instruments: options.configuredSteps
      ? (symbols) => configuredInstruments(config.trading, symbols)
      : undefined,
  });
  if (result === undefined) {
    out.document({ session: name, bars: 0, differences: [] });
    out.print(`Paper session ${name} has processed no bar yet: there is nothing to compare.`);
    return;
  }
  report(out, name, result);
  if (result.differences.length > 0)
    throw new CheckFailed(
      `${result.differences.length} of ${Math.max(result.sessionTrades, result.backtestTrades)} trades differ from the backtest.`,
    );
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
