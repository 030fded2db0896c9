import { describe, expect, it } from 'vitest';
import type { Message, Messenger } from '../../src/core/foundation/message.ts';
import { checkNotifier } from '../../src/lab/contracts/check-notifier.ts';

const SECRET = 'token-of-mine';

/** Takes everything, and ends when it is told to. */
const taking = (sent: Message[] = []): Messenger => ({
  send: async (message, signal) => {
    signal.throwIfAborted();
    sent.push(message);
  },
});

async function brokenBy(messenger: Messenger): Promise<readonly string[]> {
  const broken: string[] = [];
  for await (const verdict of checkNotifier(messenger, { secrets: [SECRET] }))
    if (verdict.kind === 'broken') broken.push(verdict.law);
  return broken;
}

it('a sound notifier keeps every law, and is sent two messages that say what they are', async () => {
  const sent: Message[] = [];
  expect(await brokenBy(taking(sent))).toEqual([]);
  expect(sent.map(({ title }) => title)).toEqual(Array(2).fill('crypto-trader plugin check'));
});

describe('a notifier that breaks a law is caught', () => {
  const violations: readonly (readonly [law: string, messenger: Messenger])[] = [
    ['delivers a line', { send: async () => Promise.reject(new Error('no such address')) }],
    [
      'delivers sixty lines with any characters',
      {
        send: async ({ text }) => {
          if (text.includes('\n')) throw new Error('one line only');
        },
      },
    ],
    [
      'answers with a promise, also when it fails',
      {
        send: () => {
          throw new Error('thrown');
        },
      },
    ],
    [
      'ends soon after it was told to stop',
      { send: async (_, signal) => (signal.aborted ? new Promise<void>(() => undefined) : undefined) },
    ],
    [
      'says none of its secrets in what it fails with',
      {
        send: async (_, { aborted }) => (aborted ? Promise.reject(new Error(`POST /${SECRET}`)) : undefined),
      },
    ],
  ];

  it.each(violations)('%s', async (law, messenger) => {
    expect(await brokenBy(messenger)).toContain(law);
  });
});
