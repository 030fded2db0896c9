import type { Command } from 'commander';
import { formatMinute } from '../../../core/foundation/time.ts';
import { openStore } from '../../../data/store/store.ts';
import { projectStanding } from '../../workflows/overview.ts';
import { command, type CommandContext } from '../command.ts';

export function register(program: Command): void {
  program
    .command('overview')
    .action(command(async (context, options) => overview(context, options), { logs: false }));
}

async function overview(context: CommandContext, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { config, out } = context;
  const standing = await projectStanding({
    settingsFile: typeof options['config'] === 'string' ? options['config'] : 'config.yaml',
    exchange: config.exchange.id,
    timeframe: config.market.timeframe,
    symbols: config.market.symbols,
    dataDir: config.dataDir,
    checkpointDir: config.checkpointDir,
    store: openStore(config.dataDir),
    nowMs: Date.now(),
  });
  out.document(standing);
  const { configFile, market, newestBar, runs, activeRun, sessions, next } = standing;
  const place = `${market.timeframe} from ${market.exchange}`;
  const candles =
    newestBar === null
      ? `none of ${market.missing.join(', ')} ${place}`
      : `${market.symbols.length} pairs ${place}, until ${formatMinute(Date.parse(newestBar))}`;
  const trained =
    runs === 0 ? 'nothing' : `${runs} ${runs === 1 ? 'run' : 'runs'}, ${activeRun ?? 'none'} active`;
  const paper =
    sessions.length === 0
      ? 'no session'
      : sessions.map(({ name, running }) => `${name} ${running ? 'running' : 'stopped'}`).join(', ');
  out.print(`Settings  ${configFile ?? 'the defaults (there is no config.yaml)'}`);
  out.print(`Candles   ${candles}`);
  out.print(`Trained   ${trained}`);
  out.print(`Paper     ${paper}`);
  out.print(`\n${next.why} Next: ${next.command}`);
  out.print('All commands: crypto-trader --help');
}
