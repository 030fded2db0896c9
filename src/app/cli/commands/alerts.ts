import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { suggest } from '../../../core/foundation/nearest.ts';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import {
  CONDITION_FORMS,
  type Condition,
  conditionText,
  ENSEMBLE,
  parseCondition,
} from '../../../desk/notify/alert.ts';
import { type Alert, addAlert, readAlerts, removeAlerts } from '../../../desk/notify/alert-book.ts';
import { type AlertState, readAlertState } from '../../../desk/paper/alert-state.ts';
import { symbolsOf } from '../../../desk/paper/record.ts';
import { listSessions, readStatus, sessionFolder } from '../../../desk/paper/sessions.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';
import { channelsFrom } from '../notices.ts';
import { less, prose } from '../table.ts';

const HELP = `
An alert is one of these; prices are those at which bars close:
  ${CONDITION_FORMS.join('\n  ')}

Every paper and live session that trades the pair looks at each bar, tells when an alert comes true, and again when it has
been untrue in between, but not more often than --quiet says. Alerts hold over restarts; a session that runs heeds
changes from its next bar on. Where messages go: crypto-trader notify test.

Examples:
  $ crypto-trader alerts add BTC/USDT above 70000
  $ crypto-trader alerts add BTC/USDT moves 5% in 24h --quiet 6h
  $ crypto-trader alerts add drawdown above 10% --once --name binance-1h
  $ crypto-trader alerts list
  $ crypto-trader alerts remove a2`;

const QUIET = /^(\d{1,4})([mhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const AddOptions = z.object({
  name: z.string().optional(),
  once: z.boolean().default(false),
  quiet: z
    .string()
    .default('1h')
    .transform((text) => {
      const [, count, unit] = QUIET.exec(text) ?? [];
      if (count !== undefined && unit !== undefined) return Number(count) * UNIT_MS[unit];
      throw new UsageError(`--quiet cannot be "${text}": expected minutes, hours or days: 0m, 30m, 6h, 1d.`);
    }),
});

export function register(program: Command): void {
  const group = program.command('alerts').addHelpText('after', HELP);
  group
    .command('add')
    .description('tell me when this comes true')
    .argument('<words...>', 'what to tell of: see below')
    .option('--name <name>', 'only this session (default: every one that trades the pair)')
    .option('--once', 'tell once, then never again')
    .option('--quiet <span>', 'least time between two messages of this alert: 30m, 6h, 1d', '1h')
    .addHelpText('after', HELP)
    .action((words: string[], _: object, self: Command) =>
      command(async (context, options) => add(context, words.join(' '), AddOptions.parse(options)), {
        logs: false,
      })({}, self),
    );
  group
    .command('list')
    .description('every alert, and when a session told it last')
    .action(command(list, { logs: false }));
  group
    .command('remove')
    .description('tell me no more')
    .argument('<ids...>', 'from alerts list, or all')
    .action((ids: string[], _: object, self: Command) =>
      command(async (context) => remove(context, ids), { logs: false })({}, self),
    );
}

async function add(
  context: CommandContext,
  words: string,
  { name, once, quiet }: z.output<typeof AddOptions>,
): Promise<void> {
  const { config, out } = context;
  const condition = parseCondition(words);
  const watchers = await watching(config.dataDir, condition, name);
  const alert = await addAlert(config.dataDir, {
    condition,
    session: name,
    once,
    quietMs: quiet,
    createdAtMs: Date.now(),
  });
  out.document({ alert: documentOf(alert, []), watchedBy: watchers });
  out.print(`${alert.id}: ${conditionText(condition)}${once ? ', once' : ''}.`);
  out.print(
    watchers.length === 0
      ? 'No session looks at it yet: it holds for those that are started.'
      : `Watched by ${watchers.join(', ')}.`,
  );
  if (channelsFrom(process.env).length === 0)
    out.notice('No notification channel is set: the session shows it, and nobody is sent a message.');
}

/** Sessions that look at it. Throws `UserError` for a session or a model that is none. */
async function watching(
  dataDir: string,
  condition: Condition,
  name: string | undefined,
): Promise<readonly string[]> {
  const names = await listSessions(dataDir);
  if (name !== undefined && !names.includes(name) && names.length > 0)
    throw new UserError(`There is no session called "${name}".`, { hint: suggest(name, names) });
  const all = await Promise.all(names.map((one) => readStatus(dataDir, one)));
  const symbol = 'symbol' in condition ? condition.symbol : undefined;
  const fit = all.filter(
    (one) =>
      (name === undefined || one.name === name) &&
      (symbol === undefined || symbolsOf(one.session).includes(symbol)),
  );
  if (name !== undefined && symbol !== undefined && names.includes(name) && fit.length === 0)
    throw new UserError(`The session "${name}" does not trade ${symbol}.`, {
      hint: `It trades ${all.flatMap((one) => (one.name === name ? symbolsOf(one.session) : [])).join(', ')}.`,
    });
  if ('model' in condition) {
    const models = [...new Set(fit.flatMap(({ last }) => Object.keys(last?.models ?? {})))];
    if (models.length > 0 && condition.model !== ENSEMBLE && !models.includes(condition.model))
      throw new UserError(`No session that trades ${symbol ?? ''} has a model "${condition.model}".`, {
        hint: suggest(condition.model, [...models, ENSEMBLE]),
      });
  }
  return fit.map((one) => one.name);
}

/** When which session told it, newest first. */
type Told = readonly {
  readonly session: string;
  readonly atMs: number;
  readonly figure: string | undefined;
}[];

async function list({ config, out }: CommandContext): Promise<void> {
  const alerts = await readAlerts(config.dataDir);
  const states = await Promise.all(
    (await listSessions(config.dataDir)).map(async (session) => ({
      session,
      state: await readAlertState(sessionFolder(config.dataDir, session)),
    })),
  );
  const waiting = states.reduce((sum, { state }) => sum + (state?.waiting.length ?? 0), 0);
  const rows = alerts.map((alert) => ({ alert, told: toldOf(alert, states) }));
  out.document({ alerts: rows.map(({ alert, told }) => documentOf(alert, told)), undelivered: waiting });
  if (alerts.length === 0)
    return out.print('There is no alert. Add one: crypto-trader alerts add BTC/USDT above 70000');
  out.table(
    ['id', 'when', less('session', 3), less('quiet', 4), 'told last', prose('with')],
    rows.map(({ alert, told }) => [
      alert.id,
      `${conditionText(alert.condition)}${alert.once ? ' (once)' : ''}`,
      alert.session ?? 'any',
      `${alert.quietMs / 60_000} min`,
      told.length === 0 ? 'never' : `${formatMinute(told[0].atMs)} ${told[0].session}`,
      told[0]?.figure ?? '',
    ]),
  );
  if (waiting > 0) out.print(`${waiting} messages wait for a channel that takes them.`);
}

const toldOf = (
  { id }: Alert,
  states: readonly { readonly session: string; readonly state: AlertState | undefined }[],
): Told =>
  states
    .flatMap(({ session, state }) => {
      const found = state?.alerts[id];
      return found?.toldAtMs === undefined ? [] : [{ session, atMs: found.toldAtMs, figure: found.figure }];
    })
    .toSorted((one, other) => other.atMs - one.atMs);

const documentOf = ({ id, condition, session, once, quietMs, createdAtMs }: Alert, told: Told) => ({
  id,
  when: conditionText(condition),
  ...condition,
  session,
  once,
  quietSeconds: quietMs / 1000,
  createdAt: formatTime(createdAtMs),
  told: told.map(({ atMs, ...one }) => ({ ...one, time: formatTime(atMs) })),
});

async function remove({ config, out }: CommandContext, ids: readonly string[]): Promise<void> {
  const known = (await readAlerts(config.dataDir)).map(({ id }) => id);
  const asked = ids.includes('all') ? known : [...new Set(ids)];
  await removeAlerts(config.dataDir, asked);
  out.document({ removed: asked });
  out.print(asked.length === 0 ? 'There is no alert.' : `Removed: ${asked.join(', ')}.`);
}
