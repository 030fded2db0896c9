import { describeVerdict } from '../../core/trading/risk/verdict-text.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import type { BarRecord } from '../../desk/paper/record.ts';
import type { Channel, OwnChannel } from '../../desk/notify/channel.ts';
import { bellChannel, mailChannel } from '../../desk/notify/mail.ts';
import { createNotifier, type Notifier, NOTIFIER_DEFAULTS } from '../../desk/notify/notifier.ts';
import type { Config } from '../config/schema.ts';
import { eventText } from './paper-text.ts';

/** A channel is on when its variable is set. The names are such that the redactor knows the values as secrets. */
export const CHANNEL_VARIABLES = [
  'NOTIFY_WEBHOOK_SECRET_URL',
  'NOTIFY_DISCORD_SECRET_URL',
  'NOTIFY_SLACK_SECRET_URL',
  'NOTIFY_NTFY_SECRET_URL',
  'NOTIFY_TELEGRAM_TOKEN',
  'NOTIFY_MAIL_SECRET_URL',
  'NOTIFY_BELL',
] as const;

const TELEGRAM_API = 'https://api.telegram.org';

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `UserError`, without showing any value, for an address that is none and a token without its chat. */
export function channelsFrom(environment: Environment): readonly Channel[] {
  const channels: Channel[] = [];
  for (const kind of ['webhook', 'discord', 'slack'] as const) {
    const url = address(environment, `NOTIFY_${kind.toUpperCase()}_SECRET_URL`);
    if (url !== undefined) channels.push({ kind, url });
  }
  const ntfy = address(environment, 'NOTIFY_NTFY_SECRET_URL');
  if (ntfy !== undefined)
    channels.push({ kind: 'ntfy', url: ntfy, token: set(environment, 'NOTIFY_NTFY_TOKEN') });
  const botToken = set(environment, 'NOTIFY_TELEGRAM_TOKEN');
  const chatId = set(environment, 'NOTIFY_TELEGRAM_CHAT_ID');
  if (botToken !== undefined) {
    if (chatId === undefined)
      throw new UserError('NOTIFY_TELEGRAM_TOKEN is set, NOTIFY_TELEGRAM_CHAT_ID is not.', {
        hint: 'Set both: the chat id says which conversation the bot writes to.',
      });
    const apiUrl = address(environment, 'NOTIFY_TELEGRAM_API_URL') ?? TELEGRAM_API;
    channels.push({ kind: 'telegram', apiUrl, botToken, chatId });
  }
  const mail = address(environment, 'NOTIFY_MAIL_SECRET_URL', /^smtps?:$/, 'smtps://user:password@host');
  if (mail !== undefined) channels.push(mailChannel({ url: mail, ...mailbox(environment) }));
  // On a pipe there is nobody to hear it.
  if (set(environment, 'NOTIFY_BELL') !== undefined)
    channels.push(bellChannel(() => void (process.stderr.isTTY && process.stderr.write('\x07'))));
  return channels;
}

function mailbox(environment: Environment): { readonly from: string; readonly to: string } {
  const to = set(environment, 'NOTIFY_MAIL_TO');
  if (to !== undefined && /^[^\s<>,;]+@[^\s<>,;]+$/.test(to))
    return { to, from: set(environment, 'NOTIFY_MAIL_FROM') ?? to };
  throw new UserError(
    to === undefined
      ? 'NOTIFY_MAIL_SECRET_URL is set, NOTIFY_MAIL_TO is not.'
      : 'NOTIFY_MAIL_TO is not one mail address.',
    {
      hint: 'Set it to the address that gets the messages; NOTIFY_MAIL_FROM is the sender, and the same by default.',
    },
  );
}

const set = (environment: Environment, name: string): string | undefined =>
  environment[name] === '' ? undefined : environment[name];

function address(
  environment: Environment,
  name: string,
  protocol = /^https?:$/,
  expected = 'https://...',
): string | undefined {
  const text = set(environment, name);
  if (text === undefined) return undefined;
  if (URL.canParse(text) && protocol.test(new URL(text).protocol)) return text;
  throw new UserError(`${name} is not an address: expected ${expected}`, {
    hint: 'Correct it in the environment or in .env, or unset it.',
  });
}

type Kind = keyof Config['notify'];

/** What a session tells, by kind of event: on, silent or off. */
export interface SessionNotices {
  bar(record: BarRecord): void;
  say(kind: Kind, text: string): void;
  /** One that is told until a channel has taken it. */
  alert(text: string, settled: (delivered: boolean) => void): void;
  /** Sends what waits, for three seconds at most: after SIGTERM the program is gone within five. */
  close(): Promise<void>;
}

export function openNotices(
  { notify }: Config,
  environment: Environment,
  { title, log, own }: { readonly title: string; readonly log: Log; readonly own: readonly OwnChannel[] },
): SessionNotices {
  const notifier: Notifier = createNotifier([...channelsFrom(environment), ...own], {
    ...NOTIFIER_DEFAULTS,
    title,
    log,
  });
  const say = (kind: Kind, text: string): void => {
    if (notify[kind] !== 'off') notifier.notify({ text, silent: notify[kind] === 'silent' });
  };
  return {
    say,
    alert: (text, settled) => {
      if (notify.alerts === 'off') settled(true);
      else notifier.notify({ text, silent: notify.alerts === 'silent', settled });
    },
    bar: ({ events, verdicts = [] }) => {
      for (const event of events) say(event.kind === 'rejected' ? 'rejections' : 'fills', eventText(event));
      for (const verdict of verdicts) say('risk', describeVerdict(verdict));
    },
    close: () => notifier.close(3_000),
  };
}
