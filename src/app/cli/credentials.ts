import { UserError } from '../../core/foundation/errors.ts';
import type { Credentials } from '../../data/exchange/ccxt.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The account's key, from the environment or `.env` alone; `undefined` when there is none. Throws `UserError` for half of one. */
export function findCredentials(environment: Environment): Credentials | undefined {
  const set = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const [apiKey, secret, password] = [
    'EXCHANGE_API_KEY',
    'EXCHANGE_API_SECRET',
    'EXCHANGE_API_PASSPHRASE',
  ].map(set);
  if (apiKey === undefined && secret === undefined) return undefined;
  if (apiKey !== undefined && secret !== undefined) return { apiKey, secret, password };
  throw new UserError(
    `${apiKey === undefined ? 'EXCHANGE_API_SECRET' : 'EXCHANGE_API_KEY'} is set, ${apiKey === undefined ? 'EXCHANGE_API_KEY' : 'EXCHANGE_API_SECRET'} is not.`,
    { hint: 'Set both in the environment or in .env, or neither.' },
  );
}

/** The same where nothing can be done without. */
export function credentialsFrom(environment: Environment, exchange: string): Credentials {
  const found = findCredentials(environment);
  if (found !== undefined) return found;
  throw new UserError(`There is no key for ${exchange}.`, {
    hint: 'Set EXCHANGE_API_KEY and EXCHANGE_API_SECRET (and EXCHANGE_API_PASSPHRASE where the exchange has one) in the environment or in .env, never in config.yaml.',
  });
}
