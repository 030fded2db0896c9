import { z } from 'zod';
import { IN_PLAIN_WORDS, issueLines } from '../../core/foundation/plain-issues.ts';
import { reasonOf } from './chat.ts';
import type { Facts } from './facts.ts';
import { openMetered } from './metered.ts';
import type { ReadyProvider } from './providers.ts';
import type { Purse, Tokens } from './spending.ts';
import {
  boundedFetch,
  type Exchange,
  type Fetch,
  hashOf,
  recordedFetch,
  recordingFetch,
} from './transport.ts';

export const ACTIONS = ['BUY', 'SELL', 'HOLD'] as const;

/** What a model may say: one of three words, how sure it is, and which of the facts that rests on. No prose. */
export const Vote = z.strictObject({
  action: z.enum(ACTIONS),
  confidence: z.number().min(0).max(1),
  reasons: z
    .array(z.strictObject({ fact: z.string(), supports: z.enum(ACTIONS) }))
    .max(5)
    .readonly(),
});
export type Vote = z.output<typeof Vote>;

/** What one model was asked: all that its answer depends on. */
export interface Ballot {
  readonly symbol: string;
  readonly timeframe: string;
  readonly horizonBars: number;
  readonly facts: Facts;
}

/** A vote, or why there is none. */
export type Cast =
  | { readonly kind: 'vote'; readonly vote: Vote; readonly repaired: boolean }
  | { readonly kind: 'abstained'; readonly why: string };

export interface CastVote {
  readonly cast: Cast;
  readonly promptSha256: string;
  readonly exchanges: readonly Exchange[];
  readonly usd: number;
  readonly tokens: Tokens;
}

interface VoteLimits {
  readonly retries: number;
  readonly mostOutputTokens: number;
}

/** Hash of everything a model is told. Equal ballots of one model need one answer. */
export const promptHash = (ballot: Ballot): string => hashOf(`${SYSTEM}\n${promptOf(ballot)}`);

/**
 * Asks one model. An answer that is no vote is asked for once more, with what is wrong with it; then the model abstains, as it does
 * when it cannot be reached. Throws `signal.reason` when aborted.
 */
export async function castVote(
  provider: ReadyProvider,
  ballot: Ballot,
  options: {
    readonly purse: Purse;
    readonly limits: VoteLimits;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<CastVote> {
  const exchanges: Exchange[] = [];
  const fetch = recordingFetch(boundedFetch({ timeoutMs: options.timeoutMs }), exchanges);
  const meter = await openMetered(provider, {
    purse: options.purse,
    purpose: 'vote',
    mostOutputTokens: options.limits.mostOutputTokens,
    fetch,
  });
  const cast = await decide(meter.model, ballot, options);
  const { usd, tokens } = meter.spent();
  return { cast, promptSha256: promptHash(ballot), exchanges, usd, tokens };
}

/** The same vote from its recording, without network and without cost. */
export async function replayVote(
  provider: Pick<ReadyProvider, 'open'>,
  ballot: Ballot,
  { exchanges, limits }: { readonly exchanges: readonly Exchange[]; readonly limits: VoteLimits },
): Promise<Cast> {
  const fetch: Fetch = recordedFetch(exchanges);
  const { signal } = new AbortController();
  // Attempts that were refused are in the recording too; their pauses are not waited out again.
  const answered = exchanges.filter(({ status }) => status < 400);
  if (answered.length < exchanges.length)
    return replayVote(provider, ballot, { exchanges: answered, limits });
  return decide(await provider.open(fetch), ballot, { limits: { ...limits, retries: 0 }, signal });
}

async function decide(
  model: Awaited<ReturnType<ReadyProvider['open']>>,
  ballot: Ballot,
  { limits, signal }: { readonly limits: VoteLimits; readonly signal: AbortSignal },
): Promise<Cast> {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const { generateText, NoObjectGeneratedError, NoOutputGeneratedError, Output } = await import('ai');
  const names = Object.keys(ballot.facts);
  const schema = Vote.extend({
    reasons: z
      .array(z.strictObject({ fact: z.enum(names), supports: z.enum(ACTIONS) }))
      .min(1)
      .max(5),
  });
  let prompt = promptOf(ballot);
  let why = '';
  for (const repaired of [false, true]) {
    try {
      const { output } = await generateText({
        model,
        system: SYSTEM,
        prompt,
        output: Output.object({ schema }),
        maxOutputTokens: limits.mostOutputTokens,
        maxRetries: limits.retries,
        abortSignal: signal,
        providerOptions: { openai: { store: false } },
      });
      return { kind: 'vote', vote: output, repaired };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!NoObjectGeneratedError.isInstance(error) && !NoOutputGeneratedError.isInstance(error)) {
        const reason = reasonOf(error);
        if (reason === undefined) throw error;
        return { kind: 'abstained', why: reason };
      }
      why = faultOf(NoObjectGeneratedError.isInstance(error) ? error.text : undefined, schema);
      prompt = `${promptOf(ballot)}\n\nYour answer was not valid: ${why}. Answer again in the form that was asked for.`;
    }
  }
  return { kind: 'abstained', why: `its answer was no vote: ${why}` };
}

/** What is wrong with an answer, without a word of it. */
function faultOf(text: string | undefined, schema: z.ZodType): string {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    return 'it is not JSON';
  }
  const parsed = schema.safeParse(json, IN_PLAIN_WORDS);
  if (parsed.success) return 'it broke off';
  const faults = issueLines(parsed.error).map((line) =>
    line.startsWith('"')
      ? line.replaceAll(/"[^"]*[^\w."][^"]*"/g, '"?"')
      : 'it has keys that were not asked for',
  );
  return faults.slice(0, 3).join('; ').slice(0, 300);
}

const SYSTEM = `You judge one market from figures alone. You are one of several voters; the votes are recorded and judged later, and decide nothing.
Answer with JSON: {"action": "BUY" | "SELL" | "HOLD", "confidence": 0 to 1, "reasons": [{"fact": <name of a figure>, "supports": "BUY" | "SELL" | "HOLD"}]}, one to five reasons.
BUY: after costs the price will probably be higher at the end of the horizon. SELL: lower. HOLD: neither is probable enough to pay for the trade.
Confidence is the probability that your action turns out right. Most often the honest answer is HOLD.`;

const promptOf = ({ symbol, timeframe, horizonBars, facts }: Ballot): string =>
  [
    `Market ${symbol}, bars of ${timeframe}, horizon ${horizonBars} bars.`,
    'Figures as known at the close of the newest bar:',
    ...Object.entries(facts).map(([name, value]) => `${name}: ${value}`),
  ].join('\n');

export interface Consensus {
  readonly action: (typeof ACTIONS)[number] | undefined;
  /** Mean over the votes of +confidence for BUY, -confidence for SELL, 0 for HOLD. */
  readonly lean: number | undefined;
  /** Share of the votes that say something else than the consensus. */
  readonly disagreement: number | undefined;
  readonly votes: number;
  readonly abstained: number;
}

/** What most say; a tie between the first two is HOLD. */
export function consensusOf(casts: readonly Cast[]): Consensus {
  const votes = casts.flatMap((cast) => (cast.kind === 'vote' ? [cast.vote] : []));
  const abstained = casts.length - votes.length;
  if (votes.length === 0)
    return { action: undefined, lean: undefined, disagreement: undefined, votes: 0, abstained };
  const count = (action: string): number => votes.filter((one) => one.action === action).length;
  const [first, second] = ACTIONS.toSorted((a, b) => count(b) - count(a));
  const action = count(first) === count(second) ? 'HOLD' : first;
  const sign = { BUY: 1, SELL: -1, HOLD: 0 };
  return {
    action,
    lean: votes.reduce((sum, one) => sum + sign[one.action] * one.confidence, 0) / votes.length,
    disagreement: 1 - count(action) / votes.length,
    votes: votes.length,
    abstained,
  };
}
