import type { Command } from 'commander';
import { CheckFailed } from '../../../core/foundation/errors.ts';
import { examine, type Finding } from '../../workflows/doctor.ts';
import { command, type CommandContext } from '../command.ts';
import { prose } from '../table.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .option('--offline', 'leave out the checks that need the network')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader doctor\n  $ crypto-trader doctor --offline --json')
    .action(command(async (context, options) => doctor(context, options['offline'] === true)));
}

async function doctor(context: CommandContext, offline: boolean): Promise<void> {
  const { config, out, log, signal } = context;
  const { market, exchange, fetch } = config;
  const findings = [
    settingsFinding(context),
    ...(await examine({
      dataDir: config.dataDir,
      market: {
        exchange: exchange.id,
        symbol: market.symbols[0],
        timeframe: market.timeframe,
        sources: config.features,
      },
      environment: process.env,
      exchange: offline
        ? undefined
        : { id: exchange.id, baseUrl: exchange.baseUrl, timeoutMs: fetch.timeoutMs },
      log,
      signal,
    })),
  ];
  const failed = findings.filter(({ status }) => status === 'fail');
  out.document({ healthy: failed.length === 0, checks: findings });
  out.table(
    ['check', 'state', prose('found')],
    findings.map(({ check, status, found }) => [check, status, found]),
  );
  for (const { check, advice } of findings) if (advice !== undefined) out.print(`\n${check}: ${advice}`);
  if (failed.length > 0)
    throw new CheckFailed(`Needs attention: ${failed.map(({ check }) => check).join(', ')}.`);
}

function settingsFinding({ settings, config }: CommandContext): Finding {
  const own = settings.filter(({ origin }) => origin !== 'default').length;
  return {
    check: 'settings',
    status: 'ok',
    found: `valid, ${own} set by you; ${config.exchange.mode} trading on ${config.exchange.id}`,
  };
}
