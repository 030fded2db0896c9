import { errorCode } from '../../data/files.ts';
import { type Model, type ReadyProvider, wrapped } from './providers.ts';
import type { Purse, Tokens } from './spending.ts';
import type { Fetch } from './transport.ts';

/** What the calls of one question came to. */
export interface Meter {
  readonly model: Model;
  /** US dollars and tokens of the calls that have ended. */
  spent(): { readonly usd: number; readonly tokens: Tokens; readonly calls: number };
}

type CallParams = Parameters<Model['doGenerate']>[0];
type Usage = Awaited<ReturnType<Model['doGenerate']>>['usage'];

/** English has about four bytes in a token, Chinese about three: half of that is room enough for what is asked here. */
const BYTES_PER_TOKEN = 2;
const FRAMING_TOKENS = 64;

/**
 * A provider's model behind the purse: before every call, also of a repeated one, what it may cost at most is set aside, and
 * afterwards what it did cost. A call that was refused by the other side cost nothing; one whose answer broke off counts in full.
 */
export async function openMetered(
  { id, settings, open }: ReadyProvider,
  {
    purse,
    purpose,
    mostOutputTokens,
    fetch,
  }: {
    readonly purse: Purse;
    readonly purpose: string;
    readonly mostOutputTokens: number;
    readonly fetch?: Fetch | undefined;
  },
): Promise<Meter> {
  const total = { usd: 0, input: 0, output: 0, calls: 0 };
  const reserve = async (params: CallParams) => {
    const asked = JSON.stringify([params.prompt, params.tools ?? [], params.responseFormat ?? '']);
    const most = {
      input: Math.ceil(Buffer.byteLength(asked) / BYTES_PER_TOKEN) + FRAMING_TOKENS,
      output: params.maxOutputTokens ?? mostOutputTokens,
    };
    const reservation = await purse.reserve({ provider: id, purpose, price: settings.price, most });
    const settle = async (tokens: Tokens): Promise<void> => {
      total.usd += await reservation.settle(tokens);
      total.input += tokens.input;
      total.output += tokens.output;
      total.calls++;
    };
    return { most, settle };
  };
  const model = await wrapped(await open(fetch), {
    specificationVersion: 'v3',
    wrapGenerate: async ({ doGenerate, params }) => {
      const { most, settle } = await reserve(params);
      const result = await Promise.resolve(doGenerate()).catch(async (error: unknown) => {
        if (wasRefused(error)) await settle(NOTHING);
        throw error;
      });
      await settle(tokensOf(result.usage, most));
      return result;
    },
    wrapStream: async ({ doStream, params }) => {
      const { most, settle } = await reserve(params);
      const result = await Promise.resolve(doStream()).catch(async (error: unknown) => {
        if (wasRefused(error)) await settle(NOTHING);
        throw error;
      });
      const counting = new TransformStream({
        transform: async (part: StreamPart, controller) => {
          if (part.type === 'finish') await settle(tokensOf(part.usage, most));
          controller.enqueue(part);
        },
      });
      return { ...result, stream: result.stream.pipeThrough(counting) };
    },
  });
  return {
    model,
    spent: () => ({
      usd: total.usd,
      tokens: { input: total.input, output: total.output },
      calls: total.calls,
    }),
  };
}

type StreamPart =
  Awaited<ReturnType<Model['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;

const NOTHING: Tokens = { input: 0, output: 0 };

/** What a provider does not tell counts as the most it can be. */
const tokensOf = ({ inputTokens, outputTokens }: Usage, most: Tokens): Tokens => ({
  input: inputTokens.total ?? most.input,
  output: outputTokens.total ?? most.output,
});

/** The other side answered with an error, or nobody was there: nothing was generated. */
function wasRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('statusCode' in error && typeof error.statusCode === 'number') return error.statusCode >= 400;
  return NOT_THERE.has(errorCode(error) ?? '') || (error.cause !== undefined && wasRefused(error.cause));
}

const NOT_THERE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
