import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Log } from '../../core/foundation/log.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { type Answer, answerOf, Unanswered } from '../../data/answer.ts';
import { jsonIn } from '../../data/json.ts';
import { type HttpChannel, requestOf } from './channel.ts';

/** A message of the one chat that is listened to. */
export interface Asked {
  /** One line of plain text. */
  readonly text: string;
  /** A chat with one person; in a group everybody can write. */
  readonly isPrivate: boolean;
}

interface TelegramOptions {
  readonly channel: Extract<HttpChannel, { kind: 'telegram' }>;
  /** What is said in return; `undefined`: nothing. */
  readonly answer: (asked: Asked) => Promise<string | undefined>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** How long Telegram holds a question that nobody has written to, in seconds. */
  readonly pollSeconds?: number;
  readonly retryMs?: number;
}

/** What is used of the answer to getUpdates: core.telegram.org/bots/api#getting-updates. */
const Updates = z.object({ ok: z.literal(true), result: z.array(z.unknown()).max(100) });
const Update = z.object({ update_id: z.int().min(0) });
const Message = z.object({
  message: z.object({
    /** Seconds since 1970, by Telegram's clock. */
    date: z.number(),
    chat: z.object({ id: z.number(), type: z.string() }),
    text: z.string(),
  }),
});

const MOST_BYTES = 2 ** 20;
/** What was written before is no question any more: the program may have been away for days. */
const OLDEST_MS = 600_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Listens for messages of the configured chat until `signal` aborts, and never throws: what cannot be read is skipped, and a
 * Telegram that does not answer is asked again with growing pauses. A message is acknowledged with the next question, so that after a
 * kill it may be answered twice. Messages of anybody else are not even answered.
 */
export async function listenToTelegram(options: TelegramOptions): Promise<void> {
  const { channel, log, signal, retryMs = 2_000 } = options;
  const hide = (text: string): string => plainLine(text.replaceAll(channel.botToken, '[redacted]'), 200);
  let offset = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const updates = await poll(options, offset);
      failures = 0;
      for (const update of updates) {
        const known = Update.safeParse(update);
        if (!known.success) continue;
        offset = Math.max(offset, known.data.update_id + 1);
        const asked = heard(update, options);
        if (asked === undefined) continue;
        log.info({ text: asked.text }, 'telegram command');
        const text = await options.answer(asked);
        if (text !== undefined) await say(options, text);
      }
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      const reason = error instanceof Error ? error.message : String(error);
      if (failures === 1) log.warn({}, `telegram commands: ${hide(reason)}`);
      const pauseMs = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (failures - 1));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function poll(
  { channel, signal, pollSeconds = 50 }: TelegramOptions,
  offset: number,
): Promise<readonly unknown[]> {
  const question = new URLSearchParams({
    offset: String(offset),
    timeout: String(pollSeconds),
    allowed_updates: '["message"]',
  });
  const answer = await answerOf(
    `${channel.apiUrl}/bot${channel.botToken}/getUpdates?${question.toString()}`,
    { timeoutMs: 1000 * (pollSeconds + 15), mostBytes: MOST_BYTES, signal },
  );
  const parsed = Updates.safeParse(jsonIn(answer.body));
  if (answer.status === 200 && parsed.success) return parsed.data.result;
  throw new Unanswered(faultOf(answer));
}

function faultOf({ status }: Answer): string {
  if (status === 401 || status === 404) return `Telegram does not know the token (${status})`;
  if (status === 409) return 'another program listens with the same token (409)';
  return status === 200 ? 'Telegram answered with something else' : `Telegram answered ${status}`;
}

function heard(update: unknown, { channel, now }: TelegramOptions): Asked | undefined {
  const parsed = Message.safeParse(update);
  if (!parsed.success) return undefined;
  const { chat, date, text } = parsed.data.message;
  if (String(chat.id) !== channel.chatId || now() - 1000 * date > OLDEST_MS) return undefined;
  return { text: plainLine(text, 200), isPrivate: chat.type === 'private' };
}

/** One attempt: who asked can ask again. */
async function say({ channel, log, signal }: TelegramOptions, text: string): Promise<void> {
  const [title = '', ...rest] = text.split('\n');
  const { url, headers, body } = requestOf(channel, { title, text: rest.join('\n'), silent: false });
  const { status } = await answerOf(url, {
    method: 'POST',
    headers,
    body,
    timeoutMs: 10_000,
    mostBytes: MOST_BYTES,
    signal,
  });
  if (status !== 200) log.warn({ status }, 'telegram answer not delivered');
}
