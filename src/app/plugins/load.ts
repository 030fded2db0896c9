import type { Model } from '../../core/forecast/model.ts';
import { createRegistry, type Registry } from '../../learning/models/registry.ts';
import type { SourcePlugin } from './define.ts';
import { evaluatePlugin, forgetSecrets, type Plugin } from './evaluate.ts';
import { pluginPaths, type PluginSource, readPlugin } from './files.ts';
import { type Consent, requireTrust } from './trust.ts';

export interface ProjectPlugins {
  readonly registry: Registry;
  readonly sources: readonly SourcePlugin[];
  /** Every plug-in that there is or that the settings name, and what became of it. */
  readonly files: readonly (
    | { readonly kind: 'loaded'; readonly path: string; readonly sha256: string; readonly plugin: Plugin }
    | { readonly kind: 'failed'; readonly path: string; readonly reason: string }
  )[];
}

export interface PluginRequest {
  /** Nothing outside this folder is looked at. */
  readonly project: string;
  /** Files beside those in `user/`, from the settings. */
  readonly named: readonly string[];
  readonly consent: Consent;
  /** What plug-ins get for `import 'crypto-trader'`; only asked for when there are any. */
  readonly library: () => Promise<unknown>;
}

/**
 * Loads the plug-ins of a project. One that is not there or fails is left out, with its reason: what does not need it
 * goes on. Throws `UserError` when nobody has agreed to run one, or when two models have one id.
 */
export async function loadPlugins({
  project,
  named,
  consent,
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
        await evaluatePlugin(one, await library()).then(
          (plugin) => ({ kind: 'loaded' as const, path, sha256, plugin }),
          (error: unknown) => ({ kind: 'failed' as const, path, reason: reasonOf(error) }),
        ),
      );
    }
  }
  const loaded = files.filter((one) => one.kind === 'loaded');
  const models = loaded.flatMap(({ plugin }): readonly Model[] =>
    plugin.kind === 'model' ? [plugin.model] : [],
  );
  const registry = createRegistry(
    models,
    loaded.map(({ path, sha256, plugin }) => ({ path, sha256, provides: [idOf(plugin)] })),
  );
  const sources = loaded.flatMap(({ plugin }) => (plugin.kind === 'source' ? [plugin.source] : []));
  return { registry, sources, files };
}

export const idOf = (plugin: Plugin): string =>
  plugin.kind === 'model' ? plugin.model.id : plugin.source.id;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
