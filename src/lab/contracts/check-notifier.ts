import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Messenger } from '../../core/foundation/message.ts';
import { tryLaws } from './try-laws.ts';
import type { Verdict } from './verdict.ts';

interface Subject {
  readonly messenger: Messenger;
  /** What may not be told to anybody: tokens and addresses. */
  readonly secrets: readonly string[];
}

const ONE_LINE: Message = {
  title: 'crypto-trader plugin check',
  text: 'This is a check: messages arrive here.',
  silent: true,
};
const ANY_TEXT: Message = {
  ...ONE_LINE,
  text: Array.from(
    { length: 60 },
    (_, i) => `line ${i}: BTC/USDT "<b>&*_~` + '`' + ` @everyone \u{1F4C8} \u00e9`,
  ).join('\n'),
};
/** A message that takes longer is given up by a session. */
const PATIENCE_MS = 10_000;
const ENDS_WITHIN_MS = 2_000;

/** What every notifier promises. Each throws when the messenger does not keep it; the first two deliver one. */
const NOTIFIER_LAWS: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  'delivers a line': async ({ messenger }) => {
    const failure = await outcomeOf(messenger, ONE_LINE, AbortSignal.timeout(PATIENCE_MS));
    assert.equal(failure, undefined);
  },

  'delivers sixty lines with any characters': async ({ messenger }) => {
    const failure = await outcomeOf(messenger, ANY_TEXT, AbortSignal.timeout(PATIENCE_MS));
    assert.equal(failure, undefined);
  },

  'answers with a promise, also when it fails': async ({ messenger }) => {
    let sent: unknown;
    try {
      sent = messenger.send(ONE_LINE, AbortSignal.abort(new Error('stop')));
    } catch (error) {
      assert.fail(`send throws into its caller: ${String(error)}`);
    }
    assert.ok(sent instanceof Promise, 'send returns no promise');
    void sent.catch(() => undefined);
  },

  'ends soon after it was told to stop': async ({ messenger }) => {
    const failure = await outcomeOf(messenger, ONE_LINE, AbortSignal.abort(new Error('stop')));
    assert.doesNotMatch(failure ?? '', /^no answer/);
  },

  'says none of its secrets in what it fails with': async ({ messenger, secrets }) => {
    const failure = await outcomeOf(messenger, ONE_LINE, AbortSignal.abort(new Error('stop')));
    const told = secrets.filter((secret) => failure?.includes(secret));
    assert.equal(told.length, 0, 'its error shows a token or an address');
  },
};

/** Why a message was not delivered, with everything that its error tells; `undefined`: it was. */
async function outcomeOf(
  messenger: Messenger,
  message: Message,
  signal: AbortSignal,
): Promise<string | undefined> {
  const patienceMs = signal.aborted ? ENDS_WITHIN_MS : PATIENCE_MS;
  const late = sleep(patienceMs, `no answer in ${patienceMs / 1000} s`, { ref: false });
  const sent = (async (): Promise<string | undefined> => {
    try {
      await messenger.send(message, signal);
      return undefined;
    } catch (error) {
      return error instanceof Error
        ? `${error.message} ${error.stack ?? ''} ${String(error.cause)}`
        : String(error);
    }
  })();
  return Promise.race([sent, late]);
}

/**
 * Tries every law on a notifier of your own; two messages that say they are a check arrive where it leads. Errors that
 * it lets loose meanwhile, in a promise that nobody waits for or in a callback, are caught: they would end a session.
 */
export async function* checkNotifier(
  messenger: Messenger,
  { secrets, signal }: { readonly secrets: readonly string[]; readonly signal?: AbortSignal },
): AsyncGenerator<Verdict> {
  const stray: string[] = [];
  const note = (error: unknown): void => void stray.push(String(error));
  process.on('unhandledRejection', note).on('uncaughtException', note);
  try {
    yield* tryLaws(
      { ...NOTIFIER_LAWS, [NOTHING_STRAY]: async () => assert.deepEqual(stray, []) },
      { messenger, secrets },
      signal ? { signal } : {},
    );
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  }
}

const NOTHING_STRAY = 'lets no error loose beside the promise that it returned';
