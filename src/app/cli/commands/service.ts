import { userInfo } from 'node:os';
import { isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import {
  crontabLine,
  launchdPlist,
  type ServiceJob,
  systemdTimer,
  systemdUnit,
} from '../../service/units.ts';
import { sessionHealth } from '../../workflows/session-health.ts';
import { command, type CommandContext, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';

const SYSTEMS = ['systemd', 'launchd', 'crontab'] as const;

const InstallOptions = z.object({
  for: z.string().default('systemd'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'use small letters, digits and dashes')
    .default('crypto-trader'),
  dailyAt: z.string().optional(),
});

const HELP = `
Everything after -- is the command that is to run. Nothing is installed: the text is printed, to be read and put where it belongs.

Examples:
  $ crypto-trader service install -- paper
  $ crypto-trader service install --name trader-live -- live start --confirmed terms.txt
  $ crypto-trader service install --name trader-retrain --daily-at 03:00 -- retrain --if-older-than 7d --fetch
  $ crypto-trader service install --for launchd -- paper > ~/Library/LaunchAgents/crypto-trader.plist
  $ crypto-trader service status                 exit code 3 when a session stands still`;

export function register(program: Command): void {
  const group = program.command('service').addHelpText('after', HELP);
  group
    .command('install')
    .description('print what starts a command without anybody there, hardened')
    .argument('<command...>', 'the command of crypto-trader, after --')
    .option('--for <system>', `${SYSTEMS.join(', ')}`, 'systemd')
    .option('--name <name>', 'name of the unit', 'crypto-trader')
    .option(
      '--daily-at <time>',
      'once a day at this hour and minute (UTC; launchd: local time), not for ever',
    )
    .action((words: string[], _: object, self: Command) =>
      command(async (context, options) => install(context, words, InstallOptions.parse(options)))({}, self),
    );
  group
    .command('status')
    .description('whether every session runs and sees its bars; exit code 3 when one does not')
    .action(command(status));
}

async function install(
  { config, out }: CommandContext,
  words: readonly string[],
  options: z.output<typeof InstallOptions>,
): Promise<void> {
  const system = oneOf('--for', options.for, SYSTEMS);
  const folder = process.cwd();
  const outside = [config.dataDir, config.checkpointDir, config.logDir]
    .map((path) => resolve(path))
    .filter((path) => isOutside(path, folder));
  const job: ServiceJob = {
    name: options.name,
    description: `crypto-trader ${words.join(' ')}`,
    command: [process.execPath, resolve(process.argv[1]), ...words],
    folder,
    writes: outside,
    daily: options.dailyAt === undefined ? undefined : timeOf(options.dailyAt),
  };
  const files = filesOf(job, system);
  out.document({ system, files });
  for (const { path, text } of files) {
    if (files.length > 1) out.frame(`# ${path}`);
    out.frame(text.trimEnd());
  }
  out.notice(NEXT[system](job));
}

function filesOf(job: ServiceJob, system: (typeof SYSTEMS)[number]) {
  switch (system) {
    case 'systemd':
      return [
        { path: `/etc/systemd/system/${job.name}.service`, text: systemdUnit(job, userInfo().username) },
        ...(job.daily === undefined
          ? []
          : [{ path: `/etc/systemd/system/${job.name}.timer`, text: systemdTimer(job, job.daily) }]),
      ];
    case 'launchd':
      return [{ path: `~/Library/LaunchAgents/${job.name}.plist`, text: launchdPlist(job) }];
    case 'crontab':
      return [{ path: 'crontab', text: crontabLine(job) }];
  }
}

const NEXT: Readonly<Record<(typeof SYSTEMS)[number], (job: ServiceJob) => string>> = {
  systemd: ({ name, daily }) =>
    `Next: put it into /etc/systemd/system, then systemctl daemon-reload && systemctl enable --now ${name}.${daily === undefined ? 'service' : 'timer'}`,
  launchd: ({ name }) => `Next: launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/${name}.plist`,
  crontab: () =>
    'Next: add the line with crontab -e. cron starts it and does not start it again when it ends.',
};

function isOutside(path: string, folder: string): boolean {
  const inside = relative(folder, path);
  return inside.startsWith('..') || isAbsolute(inside);
}

function timeOf(text: string): { readonly hour: number; readonly minute: number } {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hour === undefined)
    throw new UsageError(`--daily-at cannot be "${text}": expected a time such as 03:30.`);
  return { hour: Number(hour), minute: Number(minute) };
}

async function status({ config, out }: CommandContext): Promise<void> {
  const health = await sessionHealth(config.dataDir, Date.now());
  if (health.length === 0)
    throw new UserError('There is no session to look at.', { hint: 'Start one: crypto-trader paper' });
  const faults = health.filter(({ fault }) => fault !== undefined);
  out.document({
    ok: faults.length === 0,
    sessions: health.map(({ lastBarMs, ...one }) => ({
      ...one,
      lastBarTime: lastBarMs === undefined ? undefined : formatTime(lastBarMs),
    })),
  });
  out.table(
    ['session', 'kind', 'process', 'last bar', 'state'],
    health.map(({ name, kind, pid, lastBarMs, fault }) => [
      name,
      kind,
      pid === undefined ? 'stopped' : String(pid),
      lastBarMs === undefined ? 'none yet' : formatMinute(lastBarMs),
      fault ?? 'good',
    ]),
  );
  if (faults.length > 0)
    throw new CheckFailed(`${faults.length} of ${health.length} sessions do not run as they should.`);
}
