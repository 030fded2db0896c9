import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { annotate, type Figures, type ToolCall } from './figures.ts';
import { type Meter, openMetered } from './metered.ts';
import type { ReadyProvider } from './providers.ts';
import type { Purse } from './spending.ts';
import { adviserTools, type Sources } from './tools.ts';
import { NoAnswer } from './transport.ts';

/** What was said before, oldest first. */
export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Limits of one question. */
export interface ChatLimits {
  readonly retries: number;
  /** Rounds of tool calls, the answer among them. */
  readonly mostSteps: number;
  readonly mostOutputTokens: number;
}

/** What happens while a question is answered. */
export type ChatEvent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool'; readonly number: number; readonly tool: string; readonly input: unknown };

export interface ChatAnswer {
  readonly provider: string;
  readonly model: string;
  /** With a mark behind every figure. */
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly figures: Figures;
  readonly spent: ReturnType<Meter['spent']>;
  /** Why there is no whole answer. */
  readonly cut: string | undefined;
}

/**
 * One answer of one provider. Tools read the project and nothing else; figures are marked as they come in. Throws `UserError`
 * when the provider cannot be asked, and `signal.reason` when aborted.
 */
export async function askAdviser(
  provider: ReadyProvider,
  messages: readonly Message[],
  options: {
    readonly sources: Sources;
    readonly purse: Purse;
    readonly limits: ChatLimits;
    readonly nowMs: number;
    readonly signal: AbortSignal;
    readonly onEvent: (event: ChatEvent) => void;
  },
): Promise<ChatAnswer> {
  const { sources, purse, limits, nowMs, signal, onEvent } = options;
  const calls: ToolCall[] = [];
  const meter = await openMetered(provider, {
    purse,
    purpose: 'chat',
    mostOutputTokens: limits.mostOutputTokens,
  });
  const tools = adviserTools(sources, {
    nowMs,
    onCall: (call) => {
      calls.push(call);
      onEvent({ kind: 'tool', number: calls.length, tool: call.tool, input: call.input });
    },
  });
  const { stepCountIs, streamText } = await import('ai');
  const annotator = annotate(calls);
  let text = '';
  const say = (more: string): void => {
    if (more === '') return;
    text += more;
    onEvent({ kind: 'text', text: more });
  };
  const failed: unknown[] = [];
  const answer = streamText({
    model: meter.model,
    system: SYSTEM,
    messages: messages.map(({ role, content }) => ({ role, content })),
    tools,
    stopWhen: stepCountIs(limits.mostSteps),
    maxOutputTokens: limits.mostOutputTokens,
    maxRetries: limits.retries,
    abortSignal: signal,
    providerOptions: { openai: { store: false } },
    onError: ({ error }) => void failed.push(error),
  });
  let ending: string | undefined;
  for await (const part of answer.fullStream) {
    if (part.type === 'text-delta') say(annotator.push(part.text));
    else if (part.type === 'text-end') say(annotator.push('\n'));
    else if (part.type === 'finish') ending = part.finishReason;
  }
  say(annotator.end());
  if (signal.aborted) throw signal.reason;
  if (failed.length > 0 && text.trim() === '') throw explained(provider, failed[0]);
  return {
    provider: provider.id,
    model: provider.settings.model,
    text: text.trim(),
    calls,
    figures: annotator.figures,
    spent: meter.spent(),
    cut: failed.length > 0 ? reasonOf(failed[0]) : CUT[ending ?? ''],
  };
}

const CUT: Readonly<Record<string, string | undefined>> = {
  length: 'it was longer than advisor.mostOutputTokens allows',
  'tool-calls': 'it asked for more tools than advisor.mostSteps allows',
  'content-filter': 'the provider withheld the rest',
};

const SYSTEM = `You answer questions about one trader's own research project, a program for backtests and paper trading of crypto.
Use the tools for every figure you state: quote figures as the tools return them, and say for which symbol, window and time they are.
Never estimate a figure, never remember one, never calculate one that a tool does not return. If no tool has it, say so.
You cannot trade, write, or change anything, and you promise nothing about future prices.
Say what speaks against a conclusion too: costs, sample size, intervals, synthetic data. Answer in short plain sentences, without markup.`;

/** An error of a provider in words for its user. Our own errors stay as they are. */
export function explained({ id, settings }: ReadyProvider, error: unknown): unknown {
  const own = lastOf(error);
  if (own instanceof UserError) return own;
  const reason = reasonOf(own);
  if (reason === undefined) return own;
  return new UserError(`${id} (${settings.model}) did not answer: ${reason}.`, {
    hint: 'Check the key, the model and the address of this provider under advisor.providers; "crypto-trader advisor providers" shows them.',
    cause: own,
  });
}

/** What went wrong on the other side or on the way; `undefined`: on ours. */
export function reasonOf(error: unknown): string | undefined {
  const own = lastOf(error);
  if (own instanceof NoAnswer || own instanceof UserError) return plainLine(own.message, 200);
  if (!(own instanceof Error)) return undefined;
  if ('statusCode' in own && typeof own.statusCode === 'number')
    return `status ${own.statusCode}: ${plainLine(own.message, 200)}`;
  // The SDK's own errors: a malformed answer, a connection that was lost.
  return own.name.startsWith('AI_') || own.name === 'TypeError' ? plainLine(own.message, 200) : undefined;
}

/** The SDK wraps the last of several attempts. */
function lastOf(error: unknown): unknown {
  return error instanceof Error && 'lastError' in error && error.lastError !== undefined
    ? error.lastError
    : error;
}
