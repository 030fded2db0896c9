import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { type ObjectStore, openObjectStore } from '../../data/object-store.ts';
import { type CommandContext, integer, refuseIgnored } from './command.ts';
import { UsageError } from './exit.ts';

export const STORE_HELP =
  's3:// bucket and folder where data and models are found by their hash; keys and AWS_ENDPOINT_URL_S3 from the environment';

/** Adds what lets workers on other machines do the work: `--queue --listen --at-once --store`. `what`: trials, folds, models. */
export const addQueueOptions = (command: Command, what: string): Command =>
  command
    .option(
      '--queue <url>',
      `redis:// or postgres:// server that workers take ${what} from; env: QUEUE_URL has it`,
    )
    .option('--listen <address>', 'with --queue: where workers get data and report', '127.0.0.1:0')
    .option('--at-once <count>', `with --queue: ${what} given out at a time`, '4')
    .option('--store <url>', `with --queue: ${STORE_HELP}`);

export const QUEUE_OPTIONS = {
  queue: z.string().optional(),
  listen: z.string().default('127.0.0.1:0'),
  atOnce: z.string().default('4'),
  store: z.string().optional(),
};

export interface QueueRequest {
  readonly queueUrl: string;
  readonly host: string;
  readonly port: number;
  readonly atOnce: number;
  readonly token: string;
  readonly objects: ObjectStore | undefined;
}

/** `undefined` without `--queue`. Throws `UserError` without a token for the workers. */
export async function queueRequest(options: {
  readonly queue?: string | undefined;
  readonly listen: string;
  readonly atOnce: string;
  readonly store?: string | undefined;
}): Promise<QueueRequest | undefined> {
  if (options.queue === undefined) {
    if (options.store !== undefined) throw new UsageError('--store belongs to --queue.');
    return undefined;
  }
  const [, host, port] = /^(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(options.listen) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError(
      `--listen cannot be "${options.listen}": expected an address such as 10.0.0.5:4100.`,
    );
  return {
    queueUrl: queueUrl(options.queue),
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    atOnce: integer('--at-once', options.atOnce, { least: 1 }),
    token: workerToken(),
    objects: options.store === undefined ? undefined : await openObjectStore(options.store),
  };
}

/** The same of a command that also starts workers itself. */
export async function givenQueue(
  context: CommandContext,
  options: Parameters<typeof queueRequest>[0] & { readonly workers: string },
): Promise<{ readonly queue: QueueRequest; readonly workers: number } | undefined> {
  const queue = await queueRequest(options);
  if (queue === undefined) refuseIgnored(context, ['--listen', '--at-once', '--workers'], 'without --queue');
  return queue && { queue, workers: integer('--workers', options.workers, { least: 0 }) };
}

/** The address itself, or what QUEUE_URL says: command lines are seen by everybody on a machine, and addresses hold passwords. */
export function queueUrl(text: string): string {
  if (text !== 'env') return text;
  const url = process.env['QUEUE_URL'];
  if (url !== undefined && url !== '') return url;
  throw new UserError('QUEUE_URL is not set.', {
    hint: 'Write it into .env, or give the address: --queue postgres://user@localhost/database.',
  });
}

const SHORTEST_TOKEN = 16;

/** The secret that the two sides share. Throws `UserError` for none, or one that could be guessed. */
export function workerToken(): string {
  const token = process.env['WORKER_TOKEN'] ?? '';
  if (token.length >= SHORTEST_TOKEN) return token;
  throw new UserError(
    token === ''
      ? 'WORKER_TOKEN is not set: workers and the search need a secret in common.'
      : `WORKER_TOKEN is shorter than ${SHORTEST_TOKEN} characters.`,
    { hint: 'Make one and write it into .env on every machine: openssl rand -hex 32' },
  );
}
