import type { Command } from 'commander';
import { configJsonSchema, environmentName } from '../../config/load.ts';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { formatTime } from '../../../core/foundation/time.ts';
import { command } from '../command.ts';
import { addEditing } from '../config-edit.ts';
import { defaultSubcommand } from '../subcommands.ts';
import { prose } from '../table.ts';

export function register(program: Command): void {
  const config = program.command('config');

  defaultSubcommand(config, 'show')
    .description('every setting with its value and origin: flag, environment, file or default')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader config show\n  $ CRYPTO_TRADER_TRADING_FEE_BPS=5 crypto-trader config show --json',
    )
    .action(
      command(async ({ out, settings }) => {
        const shown = settings.map(({ path, value, origin }) => ({
          path,
          value: readable(path, value),
          origin,
        }));
        out.document({
          settings: shown.map((setting) => ({ ...setting, environment: environmentName(setting.path) })),
        });
        out.table(
          ['setting', prose('value'), 'from'],
          shown.map(({ path, value, origin }) => [path, plainLine(text(value), LONGEST_SHOWN), origin]),
        );
      }),
    );

  addEditing(config);
  config
    .command('schema')
    .description('JSON schema of config.yaml, for editors')
    .action(
      command(async ({ out }) => {
        out.document(configJsonSchema());
        out.frame(JSON.stringify(configJsonSchema(), undefined, 2));
      }),
    );
}

/** `models` can hold many parameters; --json shows them whole. */
const LONGEST_SHOWN = 80;

/** Times as people write them. */
const readable = (path: string, value: unknown): unknown =>
  typeof value === 'number' && /\.(since|until)$/.test(path) ? formatTime(value) : value;

const text = (value: unknown): string =>
  value === undefined ? '(not set)' : typeof value === 'string' ? value : JSON.stringify(value);
