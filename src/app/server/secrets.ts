import { open } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { UserError } from '../../core/foundation/errors.ts';
import { nodeDisk, writeFileAtomic } from '../../data/files.ts';
import { readTextFile } from '../../data/text-file.ts';

const FILE = '.env';
const LARGEST_BYTES = 2 ** 20;

/** Secrets that the program knows, all optional; no other variable can be written from the web. */
export const SECRETS = [
  { name: 'EXCHANGE_API_KEY', about: 'Read-only key of the exchange; raises some rate limits' },
  { name: 'EXCHANGE_API_SECRET', about: 'Its secret' },
  { name: 'EXCHANGE_API_PASSPHRASE', about: 'Its passphrase, where the exchange has one' },
  { name: 'NOTIFY_WEBHOOK_SECRET_URL', about: 'Notifications by webhook' },
  { name: 'NOTIFY_DISCORD_SECRET_URL', about: 'Notifications to Discord' },
  { name: 'NOTIFY_SLACK_SECRET_URL', about: 'Notifications to Slack' },
  { name: 'NOTIFY_NTFY_SECRET_URL', about: 'Notifications by ntfy: the address of a topic' },
  { name: 'NOTIFY_NTFY_TOKEN', about: 'Its token, where the topic is protected' },
  { name: 'NOTIFY_TELEGRAM_TOKEN', about: 'Notifications by Telegram: the token of a bot' },
  { name: 'NOTIFY_TELEGRAM_CHAT_ID', about: 'The chat that it writes to' },
  { name: 'OPENAI_API_KEY', about: 'Language models of OpenAI (advisor)' },
  { name: 'ANTHROPIC_API_KEY', about: 'Language models of Anthropic (advisor)' },
  { name: 'GOOGLE_GENERATIVE_AI_API_KEY', about: 'Language models of Google (advisor)' },
  { name: 'CRYPTOPANIC_TOKEN', about: 'News collected by CryptoPanic' },
  { name: 'REDDIT_CLIENT_ID', about: "Id of an application at Reddit's API" },
  { name: 'REDDIT_CLIENT_SECRET', about: 'Its secret' },
  { name: 'X_BEARER_TOKEN', about: 'Posts on X' },
  { name: 'GLASSNODE_API_KEY', about: 'On-chain series of Glassnode' },
  { name: 'FRED_API_KEY', about: 'Closes of FRED' },
  { name: 'ALPHA_VANTAGE_API_KEY', about: 'Closes of Alpha Vantage' },
] as const;

type SecretName = (typeof SECRETS)[number]['name'];

const text = (): string =>
  readTextFile({ path: FILE, what: 'the environment file', largestBytes: LARGEST_BYTES }) ?? '';

/** Whether each is set, in the file or in the environment. */
export function secretStates() {
  const inFile = parseEnv(text());
  return SECRETS.map(({ name, about }) => ({ name, about, set: Boolean(process.env[name] || inFile[name]) }));
}

/** Writes one secret, or takes it out where `value` is empty; other lines stay as they are. */
export async function keepSecret(name: SecretName, value: string): Promise<void> {
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark));
  if (quote === undefined)
    throw new UserError('A value with all three kinds of quotes cannot be written into .env.', {
      hint: 'Set the variable in the environment instead.',
    });
  const line = value === '' ? [] : [`${name}=${quote}${value}${quote}`];
  const others = text()
    .split('\n')
    .filter((one) => !new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(one));
  while (others.at(-1) === '') others.pop();
  await writeFileAtomic(FILE, `${[...others, ...line].join('\n')}\n`, OWNER_ALONE);
  // What this server starts from now on inherits it.
  if (value === '') delete process.env[name];
  else process.env[name] = value;
}

const OWNER_ALONE = {
  ...nodeDisk,
  open: (path: Parameters<typeof open>[0], flags?: string | number) => open(path, flags, 0o600),
};
