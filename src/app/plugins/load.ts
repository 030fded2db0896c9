import { suggest } from '../../core/foundation/nearest.ts';
import { createRegistry, type Registry } from '../../learning/models/registry.ts';
import type { NotifierPlugin, SourcePlugin } from './define.ts';
import { evaluatePlugin, forgetSecrets, type Plugin } from './evaluate.ts';
import { pluginPaths, type PluginSource, readPlugin } from './files.ts';
import { type Consent, requireTrust } from './trust.ts';

export interface ProjectPlugins {
  readonly registry: Registry;
  readonly sources: readonly SourcePlugin[];
  readonly notifiers: readonly NotifierPlugin[];
  /** Every plug-in that there is or that the settings name, and what became of it. */
  readonly files: readonly (
    | { readonly kind: 'loaded'; readonly path: string; readonly sha256: string; readonly plugin: Plugin }
    | { readonly kind: 'failed'; readonly path: string; readonly reason: string }
  )[];
  /** Settings of plug-ins that are not there: to be said. */
  readonly notes: readonly string[];
}

export interface PluginRequest {
  /** Nothing outside this folder is looked at. */
  readonly project: string;
  /** Files beside those in `user/`, from the settings. */
  readonly named: readonly string[];
  readonly consent: Consent;
  /** Parameters of own features by name, from the settings. */
  readonly featureParameters: Readonly<Record<string, unknown>>;
  /** Networks are left out, ours and the user's. */
  readonly withoutDeep?: boolean;
  /** What a plug-in gets for `import 'crypto-trader'` and other doors that its code names. */
  readonly library: (code: string) => Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Loads the plug-ins of a project. One that is not there or fails is left out, with its reason: what does not need it
 * goes on. Throws `UserError` when nobody has agreed to run one, when two have one name, or when the parameters of a feature do not fit.
 */
export async function loadPlugins({
  project,
  named,
  consent,
  featureParameters,
  withoutDeep = false,
  library,
}: PluginRequest): Promise<ProjectPlugins> {
  const read: (PluginSource | { readonly path: string; readonly reason: string })[] = [];
  const seen = new Set<string>();
  for (const path of await pluginPaths(project, named)) {
    const one = await readPlugin(project, path).catch((error: unknown) => ({
      path,
      reason: reasonOf(error),
    }));
    if (!seen.has(one.path)) read.push(one);
    seen.add(one.path);
  }
  const there = read.filter((one) => 'code' in one);
  await requireTrust(project, there, consent);
  if (there.length > 0) forgetSecrets(process.env);
  const files: ProjectPlugins['files'][number][] = [];
  for (const one of read) {
    if (!('code' in one)) files.push({ kind: 'failed', ...one });
    else {
      const { path, sha256 } = one;
      files.push(
        await evaluatePlugin(one, await library(one.allCode)).then(
          (plugin) => ({ kind: 'loaded' as const, path, sha256, plugin }),
          (error: unknown) => ({ kind: 'failed' as const, path, reason: reasonOf(error) }),
        ),
      );
    }
  }
  const loaded = files.filter((one) => one.kind === 'loaded');
  const plugins = loaded.map(({ plugin }) => plugin);
  const features = plugins.flatMap((one) => (one.kind === 'feature' ? [one.feature] : []));
  const registry = createRegistry({
    models: plugins.flatMap((one) => (one.kind === 'model' ? [one.model] : [])),
    strategies: plugins.flatMap((one) => (one.kind === 'strategy' ? [one.strategy] : [])),
    features: features.map((one) =>
      Object.hasOwn(featureParameters, one.name) ? one.withParameters(featureParameters[one.name]) : one,
    ),
    plugins: loaded.map(({ path, sha256, plugin }) => ({ path, sha256, provides: [idOf(plugin)] })),
    withoutDeep,
  });
  const sources = plugins.flatMap((one) => (one.kind === 'source' ? [one.source] : []));
  const notifiers = plugins.flatMap((one) => (one.kind === 'notifier' ? [one.notifier] : []));
  const names = features.map(({ name }) => name);
  const idle = Object.keys(featureParameters).filter((name) => !names.includes(name));
  const notes = idle.map(
    (name) =>
      `ownFeatures.${name} has no effect: there is no such feature of your own. ${names.length === 0 ? '' : suggest(name, names)}`,
  );
  return { registry, sources, notifiers, files, notes };
}

/** What settings and commands call it. */
export function idOf(plugin: Plugin): string {
  switch (plugin.kind) {
    case 'model':
      return plugin.model.id;
    case 'strategy':
      return plugin.strategy.id;
    case 'feature':
      return plugin.feature.name;
    case 'notifier':
      return plugin.notifier.id;
    case 'source':
      return plugin.source.id;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
