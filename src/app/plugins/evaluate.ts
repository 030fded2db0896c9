import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import type { OwnFeature } from '../../core/features/define-feature.ts';
import type { Model } from '../../core/forecast/model.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import type { NotifierPlugin, SourcePlugin, StrategyPlugin } from './define.ts';
import type { PluginSource } from './files.ts';

/** What the default export of a plug-in is. */
export type Plugin =
  | { readonly kind: 'model'; readonly model: Model }
  | { readonly kind: 'strategy'; readonly strategy: Strategy }
  | { readonly kind: 'feature'; readonly feature: OwnFeature }
  | { readonly kind: 'notifier'; readonly notifier: NotifierPlugin }
  | { readonly kind: 'source'; readonly source: SourcePlugin };

/** Names that keys, tokens and passwords have in an environment. */
const SECRET_NAME = /(KEY|SECRET|PASSPHRASE|PASSWORD|PASSWD|TOKEN|MNEMONIC|CREDENTIAL)/i;

/** Takes keys out of the environment: code that is not ours has no need for them. */
export function forgetSecrets(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment)) if (SECRET_NAME.test(name)) delete environment[name];
}

/**
 * Runs a plug-in and returns what its default export is. `library`: what it gets for `import 'crypto-trader'` and its
 * other doors, this very program, wherever the file lies. Throws what the plug-in throws, and an error that says what was expected
 * instead of an export that is nothing we know.
 */
export async function evaluatePlugin(
  { code, file }: PluginSource,
  library: Readonly<Record<string, unknown>>,
): Promise<Plugin> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(file, { virtualModules: { ...library }, fsCache: false });
  const module = await jiti.evalModule(code, { filename: file, async: true });
  return pluginOf(Module.parse(module).default);
}

const Module = z.looseObject({ default: z.unknown() });

const isFunction = (value: unknown): boolean => typeof value === 'function';
const aFunction = (what: string) => z.custom<unknown>(isFunction, `expected a function ${what}`);
const paramsSchema = z.custom<unknown>(
  (value) => value instanceof z.ZodType,
  'expected a zod schema, made with the `z` of crypto-trader',
);
const modelId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected up to 40 lower-case letters, digits and dashes, a letter first');

const ModelShape = z.looseObject({
  id: modelId,
  summary: z.string(),
  kind: z.enum(['baseline', 'rule', 'classical', 'deep', 'agent']),
  source: z.string(),
  params: paramsSchema,
  features: aFunction('from parameters to names of features'),
  fit: aFunction('fit(task)'),
  load: aFunction('load(artifact)'),
});

const StrategyShape = z.looseObject({
  kind: z.literal('strategy'),
  id: modelId,
  summary: z.string(),
  source: z.string(),
  params: paramsSchema,
  prepare: aFunction('from parameters and setting to a rule'),
});

const NotifierShape = z.looseObject({
  kind: z.literal('notifier'),
  id: modelId,
  summary: z.string(),
  params: paramsSchema,
  open: aFunction('from parameters to what sends'),
});

/** What `defineFeature` returns; it has checked the rest. */
const FeatureShape = z.looseObject({
  kind: z.literal('feature'),
  name: z.string(),
  column: aFunction('made by defineFeature'),
  withParameters: aFunction('made by defineFeature'),
});

const SourceShape = z.looseObject({
  kind: z.literal('source'),
  id: z.string().regex(/^[a-z][a-z0-9]{0,39}$/, 'expected up to 40 lower-case letters and digits'),
  summary: z.string(),
  example: z.looseObject({
    symbol: z.string(),
    timeframe: z.string(),
    sinceMs: z.number(),
    untilMs: z.number(),
  }),
  open: aFunction('open()'),
});

/** A guard by a schema, which says what is missing when it is not satisfied. */
function requireShape<T>(value: unknown, schema: z.ZodType, what: string): asserts value is T {
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new Error(`Its default export is not ${what}:\n${issueLines(parsed.error).join('; ')}`);
}

function pluginOf(value: unknown): Plugin {
  const known = z.looseObject({ kind: z.unknown().optional() }).safeParse(value);
  if (!known.success) {
    throw new Error(
      'It has no default export that is a plug-in. Expected: export default defineModel({ ... }), defineStrategy, defineFeature, defineSource or defineNotifier.',
    );
  }
  switch (known.data.kind) {
    case 'strategy':
      requireShape<StrategyPlugin>(value, StrategyShape, 'a strategy');
      return { kind: 'strategy', strategy: value };
    case 'feature':
      requireShape<OwnFeature>(value, FeatureShape, 'a feature');
      return { kind: 'feature', feature: value };
    case 'notifier':
      requireShape<NotifierPlugin>(value, NotifierShape, 'a notifier');
      return { kind: 'notifier', notifier: value };
    case 'source':
      requireShape<SourcePlugin>(value, SourceShape, 'a source');
      return { kind: 'source', source: value };
    default:
      requireShape<Model>(value, ModelShape, 'a model');
      return { kind: 'model', model: value };
  }
}
