import { Argument, type Command } from 'commander';
import { CheckFailed } from '../../../core/foundation/errors.ts';
import { knownExchanges, requireExchange } from '../../../data/exchange/ccxt.ts';
import { TRADED_EXCHANGES } from '../../../data/exchange/open-venue.ts';
import { type ExchangeReport, testExchange } from '../../workflows/exchanges.ts';
import { command, type CommandContext } from '../command.ts';
import { change } from '../config-edit.ts';
import { findCredentials } from '../credentials.ts';
import { prose } from '../table.ts';

export function register(program: Command): void {
  const group = program
    .command('exchanges')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader exchanges list\n  $ crypto-trader exchanges test kraken\n  $ crypto-trader exchanges use kraken     from now on',
    );
  group
    .command('list')
    .description('every exchange that candles can be fetched from, and where live trading is possible')
    .action(command(list, { logs: false }));
  group
    .command('test')
    .description(
      'its clock, the rules of the pairs, and what the key may do; exit code 3 when something is wrong',
    )
    .addArgument(new Argument('[exchange]', 'a ccxt id').default('', 'exchange.id'))
    .action(command(async (context, _, id) => test(context, id === '' ? undefined : id)));
  group
    .command('use')
    .description('write it into the settings file; candles and runs of another exchange stay as they are')
    .argument('<exchange>', 'a ccxt id')
    .action(command(use, { logs: false }));
}

async function list({ config, out }: CommandContext): Promise<void> {
  const known = await knownExchanges();
  out.document({
    exchanges: known.map((id) => ({
      id,
      live: TRADED_EXCHANGES.includes(id),
      used: id === config.exchange.id,
    })),
  });
  out.print(known.join(', '));
  out.print(`\nLive trading (spot): ${TRADED_EXCHANGES.join(', ')}. In use: ${config.exchange.id}.`);
}

async function use(
  context: CommandContext,
  options: Readonly<Record<string, unknown>>,
  id: string,
): Promise<void> {
  await requireExchange(id);
  await change(context, options, 'exchange.id', id);
  if (context.config.exchange.baseUrl !== undefined && id !== context.config.exchange.id)
    context.out.notice(
      `exchange.baseUrl is still ${context.config.exchange.baseUrl}: take it out if it is not ${id}'s.`,
    );
  context.out.print(`Next: crypto-trader exchanges test, then crypto-trader fetch`);
}

/** Orders are refused by most exchanges when clocks are this far apart. */
const CLOCK_TOLERANCE_MS = 5_000;

async function test({ config, out, log, signal }: CommandContext, named: string | undefined): Promise<void> {
  const id = named ?? config.exchange.id;
  const report = await testExchange({
    id,
    // Another host is that of the exchange in the settings.
    baseUrl: id === config.exchange.id ? config.exchange.baseUrl : undefined,
    sandbox: config.exchange.sandbox,
    symbols: config.market.symbols,
    credentials: id === config.exchange.id ? findCredentials(process.env) : undefined,
    timeoutMs: config.fetch.timeoutMs,
    log,
    signal,
  });
  const faults = faultsOf(report);
  out.document({ ok: faults.length === 0, ...report, faults });
  out.print(
    `${id} answers; its clock is ${Math.round(Math.abs(report.aheadMs) / 1000)} s ${report.aheadMs < 0 ? 'behind' : 'ahead of'} this machine's.`,
  );
  const known = (value: number | undefined): string => (value === undefined ? 'not said' : String(value));
  out.table(
    ['pair', 'amount step', 'price tick', 'least value', prose('not traded')],
    report.pairs.map(({ symbol, rules }) =>
      typeof rules === 'string'
        ? [symbol, '', '', '', rules]
        : [symbol, known(rules.amountStep), known(rules.priceTick), known(rules.minNotional), ''],
    ),
  );
  out.print(keyText(report.key));
  if (faults.length > 0) throw new CheckFailed(`Needs attention: ${faults.join('; ')}.`);
}

function faultsOf({ aheadMs, pairs, key }: ExchangeReport): readonly string[] {
  const absent = pairs.flatMap(({ symbol, rules }) => (typeof rules === 'string' ? [symbol] : []));
  return [
    ...(Math.abs(aheadMs) > CLOCK_TOLERANCE_MS ? ['the clock (synchronise it with NTP)'] : []),
    ...(absent.length > 0 ? [absent.join(', ')] : []),
    ...(key.kind === 'refused' ? ['the key'] : []),
    ...(key.kind === 'works' && key.withdraw === true ? ['a key that may withdraw'] : []),
  ];
}

function keyText(key: ExchangeReport['key']): string {
  switch (key.kind) {
    case 'none':
      return 'No key is used: candles and paper trading need none.';
    case 'not-asked':
      return 'The key is not used there: live trading is not supported.';
    case 'refused':
      return `The key is REFUSED: ${key.reason}`;
    case 'works': {
      const may = (value: boolean | undefined): string =>
        value === undefined ? 'not said' : value ? 'yes' : 'no';
      return `The key works. May trade: ${may(key.trade)}; may withdraw: ${may(key.withdraw)}${key.withdraw === true ? ' (make one that may not)' : ''}.`;
    }
  }
}
