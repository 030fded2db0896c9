import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { suggest } from '../../../core/foundation/nearest.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { openVenue } from '../../../data/exchange/open-venue.ts';
import { lockHolder, withLock } from '../../../data/lock.ts';
import { resumeLive } from '../../../desk/live/ledger.ts';
import { isWorking } from '../../../desk/live/orders.ts';
import { assetsOf } from '../../../desk/live/state.ts';
import { type Control, writeControl } from '../../../desk/paper/controls.ts';
import { accountOf, balancesOf, liveFolder, termsHash } from '../../workflows/live.ts';
import { liveSessions, liveStanding } from '../../workflows/live-standing.ts';
import { command, type CommandContext, integer } from '../command.ts';
import { credentialsFrom } from '../credentials.ts';
import { liveDocument, liveTerms, startLive } from '../live-start.ts';
import { protectionLines, termsLines } from '../live-text.ts';

const Options = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'use up to 64 letters, digits, dots, dashes and underscores')
    .optional(),
  run: z.string().optional(),
  confirmed: z.string().optional(),
  maxCycles: z.string().optional(),
});
type Options = z.output<typeof Options>;

const HELP = `
Real orders are sent only when all of these agree: exchange.mode is live, execution.dryRun is false, the key is in the
environment, may trade and may not withdraw, and somebody has confirmed exchange, account and limits.

Examples:
  $ crypto-trader live plan                      what would be traded, and the hash of it; asks no exchange
  $ crypto-trader live start                     with execution.dryRun (the default): plans orders, sends none
  $ crypto-trader live start --confirmed terms.txt   unattended: the file holds the hash that the plan prints
  $ crypto-trader live flatten                   from another terminal: sell everything, order nothing more`;

export function register(program: Command): void {
  const group = program.command('live').addHelpText('after', HELP);
  const add = (
    usage: string,
    description: string,
    run: (context: CommandContext, options: Options) => Promise<void>,
    logs = false,
  ): Command =>
    group
      .command(usage)
      .description(description)
      .option('--name <name>', 'the session (default: <exchange>-<timeframe>)')
      .action(command(async (context, options) => run(context, Options.parse(options)), { logs }));
  add('start', 'trade at the exchange, once it was confirmed; resumes after any stop', start, true)
    .option('--run <name>', 'the training run to trade with (default: the active one)')
    .option('--confirmed <file>', 'a file with the hash of the terms, in place of typing')
    .option('--max-cycles <number>', 'stop after N looks at the exchange');
  add('plan', 'exchange, account and limits, as they are confirmed', plan).option(
    '--run <name>',
    'the training run to trade with (default: the active one)',
  );
  add(
    'status',
    'every session: process, last bar, equity, positions, orders; exit code 3 when one is not as it should be',
    status,
  );
  add('adopt', 'take what the account holds now for right, after looking at it', adopt, true);
  const modes = [
    ['pause', 'pause', 'order nothing until `resume`; positions stay'],
    ['resume', 'trade', 'order again after `pause` or `flatten`'],
    ['flatten', 'flatten', 'sell everything at the next close, then order nothing until `resume`'],
  ] as const;
  for (const [word, mode, description] of modes)
    add(word, description, (context, { name }) => control(context, mode, name), true);
}

const start = (context: CommandContext, options: Options): Promise<void> =>
  startLive(context, {
    ...options,
    maxCycles:
      options.maxCycles === undefined ? undefined : integer('--max-cycles', options.maxCycles, { least: 1 }),
  });

async function plan(context: CommandContext, options: Options): Promise<void> {
  const { terms, trained } = await liveTerms(context, options);
  for (const line of termsLines(terms, trained.runId)) context.out.print(line);
  const { dryRun } = context.config.execution;
  context.out.print(
    dryRun ? 'execution.dryRun is on: none of it is sent.' : 'execution.dryRun is off: `live start` trades.',
  );
  context.out.document({ ...terms, runId: trained.runId, hash: termsHash(terms), dryRun });
  for (const { fitted } of trained.members) fitted.dispose?.();
}

/** The session called so, or the only one. */
function find(dataDir: string, name: string | undefined): string {
  const names = liveSessions(dataDir);
  if (names.length === 0)
    throw new UserError(`There is no live session in "${join(dataDir, 'live')}".`, {
      hint: 'Start one: crypto-trader live start',
    });
  if (name === undefined && names.length === 1) return names[0];
  if (name !== undefined && names.includes(name)) return name;
  throw new UserError(
    name === undefined ? `There are ${names.length} live sessions.` : `There is no live session "${name}".`,
    { hint: name === undefined ? `Say which: --name ${names.join(' or --name ')}` : suggest(name, names) },
  );
}

async function status({ config, out }: CommandContext, { name }: Options): Promise<void> {
  const names = name === undefined ? liveSessions(config.dataDir) : [find(config.dataDir, name)];
  if (names.length === 0) find(config.dataDir, undefined);
  const nowMs = Date.now();
  const rows = await Promise.all(names.map((one) => liveStanding(config.dataDir, one, nowMs)));
  const faults = rows.filter(({ fault }) => fault !== undefined);
  out.document({
    ok: faults.length === 0,
    sessions: rows.map(({ name: one, state, mode, pid, fault }) => ({
      ...liveDocument(one, state),
      state: pid === undefined ? 'stopped' : 'running',
      mode,
      pid,
      fault,
    })),
  });
  out.table(
    [
      'name',
      'process',
      'trading',
      'account',
      'last bar',
      'decision',
      'equity',
      'positions',
      'orders',
      'at rest',
    ],
    rows.map(({ name: one, state, mode, pid }) => [
      one,
      pid === undefined ? 'stopped' : `running (${pid})`,
      { trade: 'on', pause: 'paused', flatten: 'flattened' }[mode],
      `${state.session.exchange} ${state.session.account}${state.session.sandbox ? ', playground' : ''}`,
      state.last === undefined ? 'none yet' : formatMinute(state.last.timeMs),
      state.halt === undefined ? (state.last?.decision ?? '') : 'STOPPED',
      state.account.equity().toFixed(2),
      String(state.account.positions().length),
      String(state.orders.size),
      String([...state.orders.values()].filter((order) => isWorking(order)).length),
    ]),
  );
  for (const { name: one, state } of rows)
    for (const line of protectionLines(state)) out.print(`${one}: ${line}`);
  if (faults.length > 0)
    throw new CheckFailed(faults.map(({ name: one, fault }) => `${one}: ${fault ?? ''}`).join('; '));
}

async function control(
  { config, out, log }: CommandContext,
  mode: Control['mode'],
  name: string | undefined,
): Promise<void> {
  const found = find(config.dataDir, name);
  const folder = liveFolder(config.dataDir, found);
  await writeControl(folder, { mode, sinceMs: Date.now() });
  const pid = (await lockHolder(`${folder}.lock`))?.pid;
  log.info({ session: found, mode, pid }, 'live control');
  out.document({ name: found, mode, pid });
  const words = {
    trade: 'trading',
    pause: 'paused: nothing is ordered, positions stay',
    flatten: 'flattened: everything is sold, nothing is ordered after that',
  } as const;
  out.print(`Live session ${found} is ${words[mode]}.`);
  out.print(
    pid === undefined
      ? 'No process runs it now: this holds from its next start on.'
      : `Process ${pid} heeds this when its next bar closes.`,
  );
}

async function adopt({ config, out, log, signal }: CommandContext, { name }: Options): Promise<void> {
  const found = find(config.dataDir, name);
  const folder = liveFolder(config.dataDir, found);
  const { id, baseUrl, sandbox } = config.exchange;
  const credentials = credentialsFrom(process.env, id);
  await withLock(`${folder}.lock`, { waitMs: 0, purpose: `live trading ${found}` }, async () => {
    const ledger = await resumeLive(folder);
    if (ledger === undefined) throw new Error('a session that was found has a ledger');
    try {
      const { session, expected } = ledger.state;
      if (session.account !== accountOf(id, credentials.apiKey))
        throw new UserError(`The session trades account ${session.account}, and this key is of another.`, {
          hint: 'Set the key of that account, or name another session: --name <name>.',
        });
      const venue = await openVenue({ id, baseUrl, sandbox, timeoutMs: config.fetch.timeoutMs, credentials });
      const held = await balancesOf(venue, id, signal);
      const assets = assetsOf(session);
      const baseline = Object.fromEntries(assets.map((asset) => [asset, held.get(asset) ?? 0]));
      const before = Object.fromEntries(expected);
      await ledger.write({ kind: 'adopt', atMs: Date.now(), baseline });
      log.info({ session: found, before, baseline }, 'live adopt');
      out.document({ name: found, before, now: baseline });
      out.table(
        ['asset', 'ledger said', 'taken for right'],
        assets.map((asset) => [asset, String(before[asset] ?? 0), String(baseline[asset])]),
      );
      out.print('What the session owns of it has not changed: only its executions do that.');
    } finally {
      await ledger.close();
    }
  });
}
