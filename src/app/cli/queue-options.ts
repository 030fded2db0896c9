import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { integer } from './command.ts';
import { UsageError } from './exit.ts';

/** Adds what lets workers on other machines measure trials: `--queue --listen --at-once`. */
export const addQueueOptions = (command: Command): Command =>
  command
    .option(
      '--queue <url>',
      'redis:// or postgres:// server that workers take trials from; env: QUEUE_URL has it',
    )
    .option('--listen <address>', 'with --queue: where workers get data and report', '127.0.0.1:0')
    .option('--at-once <count>', 'with --queue: trials given out at a time', '4');

export const QUEUE_OPTIONS = {
  queue: z.string().optional(),
  listen: z.string().default('127.0.0.1:0'),
  atOnce: z.string().default('4'),
};

export interface QueueRequest {
  readonly queueUrl: string;
  readonly host: string;
  readonly port: number;
  readonly atOnce: number;
  readonly token: string;
}

/** `undefined` without `--queue`. Throws `UserError` without a token for the workers. */
export function queueRequest(options: {
  readonly queue?: string | undefined;
  readonly listen: string;
  readonly atOnce: string;
}): QueueRequest | undefined {
  if (options.queue === undefined) return undefined;
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
  };
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
