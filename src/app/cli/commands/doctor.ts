import type { Command } from 'commander';
import { z } from 'zod';
import { CheckFailed } from '../../../core/foundation/errors.ts';
import { examine, type Finding } from '../../workflows/doctor.ts';
import { command, type CommandContext } from '../command.ts';
import { channelsFrom } from '../notices.ts';
import { findCredentials } from '../credentials.ts';
import { prose } from '../table.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .option('--offline', 'leave out the checks that need the network')
    .option('--fix', 'repair what can be repaired here, then look again')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader doctor\n  $ crypto-trader doctor --fix\n  $ crypto-trader doctor --offline --json',
    )
    .action(command(async (context, options) => doctor(context, Options.parse(options))));
}

const Options = z.object({ offline: z.boolean().default(false), fix: z.boolean().default(false) });

async function doctor(context: CommandContext, { offline, fix }: z.output<typeof Options>): Promise<void> {
  const { out } = context;
  const before = fix ? await examined(context, offline) : [];
  const repaired = await repairAll(before);
  for (const { check, done } of repaired) for (const line of done) out.print(`Repaired ${check}: ${line}`);
  if (fix)
    out.print(
      repaired.length === 0
        ? 'There is nothing that can be repaired here.\n'
        : 'Fetch what is missing now: crypto-trader fetch\n',
    );
  const findings = repaired.length === 0 && fix ? before : await examined(context, offline);
  const failed = findings.filter(({ status }) => status === 'fail');
  out.document({
    healthy: failed.length === 0,
    ...(fix && { repaired }),
    checks: findings.map(({ repair: _, ...finding }) => finding),
  });
  out.table(
    ['check', 'state', prose('found')],
    findings.map(({ check, status, found }) => [check, status, found]),
  );
  for (const { check, advice } of findings) if (advice !== undefined) out.print(`\n${check}: ${advice}`);
  if (failed.length > 0)
    throw new CheckFailed(`Needs attention: ${failed.map(({ check }) => check).join(', ')}.`);
}

async function repairAll(findings: readonly Finding[]) {
  const repaired: { readonly check: string; readonly done: readonly string[] }[] = [];
  for (const { check, repair } of findings)
    if (repair !== undefined) repaired.push({ check, done: await repair() });
  return repaired;
}

async function examined(context: CommandContext, offline: boolean): Promise<readonly Finding[]> {
  const { config, log, signal } = context;
  const { market, exchange, fetch } = config;
  return [
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
      channels: () => channelsFrom(process.env).map(({ kind }) => kind),
      logDir: config.logDir,
      live:
        exchange.mode === 'live'
          ? {
              credentials: findCredentials(process.env),
              sandbox: exchange.sandbox,
              quote: market.symbols[0].split('/')[1],
              initialBalance: config.trading.initialBalance,
            }
          : undefined,
      log,
      signal,
    })),
  ];
}

function settingsFinding({ settings, config }: CommandContext): Finding {
  const own = settings.filter(({ origin }) => origin !== 'default').length;
  return {
    check: 'settings',
    status: 'ok',
    found: `valid, ${own} set by you; ${config.exchange.mode} trading on ${config.exchange.id}`,
  };
}
