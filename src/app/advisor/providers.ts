import type { LanguageModelMiddleware, wrapLanguageModel } from 'ai';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { boundedFetch, type Fetch } from './transport.ts';

/** A language model as the SDK takes it, whatever its provider. */
export type Model = ReturnType<typeof wrapLanguageModel>;

/** Which wire format a provider speaks. */
export type ProviderKind = 'openai' | 'anthropic' | 'google' | 'compatible';

/** A provider as settings describe it. */
export interface ProviderSettings {
  readonly kind: ProviderKind;
  /** As the provider names it. */
  readonly model: string;
  /** US dollars per million tokens. */
  readonly price: { readonly input: number; readonly output: number };
  /** Another host with the same API; needed for `compatible`. */
  readonly url?: string | undefined;
  /** The environment variable that holds the key; `compatible` needs none by default. */
  readonly keyVariable?: string | undefined;
}

/** A provider that can be asked, or what it lacks. The key is in neither. */
export type ProviderEntry =
  | {
      readonly state: 'ready';
      readonly id: string;
      readonly settings: ProviderSettings;
      readonly open: (fetch?: Fetch) => Promise<Model>;
    }
  | {
      readonly state: 'absent';
      readonly id: string;
      readonly model: string | undefined;
      readonly why: string;
    };
export type ReadyProvider = Extract<ProviderEntry, { state: 'ready' }>;

type Environment = Readonly<Record<string, string | undefined>>;

const KEY_VARIABLES = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
  compatible: undefined,
} as const;
const HOSTED = ['openai', 'anthropic', 'google'] as const;

/** Every provider of the settings, and by name those that are not set. */
export function listProviders(
  settings: Readonly<Record<string, ProviderSettings>>,
  environment: Environment,
  patience: { readonly timeoutMs: number },
): readonly ProviderEntry[] {
  const kinds = new Set(Object.values(settings).map(({ kind }) => kind));
  return [
    ...Object.entries(settings).map(([id, one]) => entryOf(id, one, environment, patience)),
    ...HOSTED.filter((kind) => !kinds.has(kind)).map((id): ProviderEntry => ({
      state: 'absent',
      id,
      model: undefined,
      why: `advisor.providers names no provider of kind ${id} (its key: ${KEY_VARIABLES[id]})`,
    })),
  ];
}

function entryOf(
  id: string,
  settings: ProviderSettings,
  environment: Environment,
  { timeoutMs }: { readonly timeoutMs: number },
): ProviderEntry {
  const { kind, model, url } = settings;
  const absent = (why: string): ProviderEntry => ({ state: 'absent', id, model, why });
  const variable = settings.keyVariable ?? KEY_VARIABLES[kind];
  const key = variable === undefined ? undefined : environment[variable]?.trim();
  if (variable !== undefined && (key === undefined || key === '')) return absent(`${variable} is not set`);
  if (kind === 'compatible' && url === undefined) return absent(`advisor.providers.${id}.url is not set`);
  return {
    state: 'ready',
    id,
    settings,
    open: async (fetch = boundedFetch({ timeoutMs })) => openModel(id, settings, { key, fetch }),
  };
}

/** The SDK of one provider is loaded when it is asked, and only that one. */
async function openModel(
  id: string,
  { kind, model, url }: ProviderSettings,
  { key, fetch }: { readonly key: string | undefined; readonly fetch: Fetch },
): Promise<Model> {
  const settings = {
    fetch,
    ...(url !== undefined && { baseURL: url }),
    ...(key !== undefined && { apiKey: key }),
  };
  switch (kind) {
    case 'openai':
      return (await import('@ai-sdk/openai')).createOpenAI(settings)(model);
    case 'anthropic':
      return (await import('@ai-sdk/anthropic')).createAnthropic(settings)(model);
    case 'google':
      return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings)(model);
    case 'compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const own = { name: id, baseURL: url ?? '', includeUsage: true, supportsStructuredOutputs: true };
      return createOpenAICompatible({ ...settings, ...own })(model);
    }
  }
}

/** `model` with something around every call. */
export async function wrapped(model: Model, middleware: LanguageModelMiddleware): Promise<Model> {
  // The SDK prints its warnings to the console otherwise.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const { wrapLanguageModel } = await import('ai');
  return wrapLanguageModel({ model, middleware });
}

/** The ready ones of `ids`, or all that are ready. Throws `UserError` for one that is absent, and when none is left. */
export function pickProviders(
  entries: readonly ProviderEntry[],
  ids: readonly string[] | undefined,
): readonly ReadyProvider[] {
  const ready = entries.filter((entry) => entry.state === 'ready');
  const picked = ids === undefined ? ready : ids.map((id) => pickOne(entries, id));
  if (picked.length > 0) return picked;
  throw new UserError('No language model is set up.', {
    hint: `Set one under advisor.providers in config.yaml, and its key in the environment or .env: ${entries
      .flatMap((entry) => (entry.state === 'absent' ? [`${entry.id}: ${entry.why}`] : []))
      .join('; ')}.`,
  });
}

function pickOne(entries: readonly ProviderEntry[], id: string): ReadyProvider {
  const found = entries.find((entry) => entry.id === id);
  if (found?.state === 'ready') return found;
  throw new UserError(
    found === undefined ? `Unknown provider "${id}".` : `The provider "${id}" is not ready: ${found.why}.`,
    {
      hint:
        found === undefined
          ? suggest(
              id,
              entries.map((entry) => entry.id),
            )
          : 'crypto-trader advisor providers shows what each needs.',
    },
  );
}
