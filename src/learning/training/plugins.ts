import type { Registry } from '../models/registry.ts';
import type { RunPlan } from './run-folder.ts';

/** A model of a run that nothing here brings, and where it came from when the run was planned. */
export function absentPlugin(
  { plugins }: RunPlan,
  id: string,
): { readonly id: string; readonly reason: string } {
  const from = plugins.find(({ provides }) => provides.includes(id));
  const reason =
    from === undefined
      ? 'this version of the program has no such model.'
      : `its plug-in "${from.path}" is not here or could not be loaded.`;
  return { id, reason };
}

/** Plug-ins of a run whose file is another one now. */
export const changedPlugins = ({ plugins }: RunPlan, registry: Registry): readonly string[] =>
  plugins.flatMap(({ path, sha256, provides }) => {
    const now = registry.plugins.find((one) => one.provides.some((id) => provides.includes(id)));
    if (now === undefined || now.sha256 === sha256) return [];
    return [`The plug-in "${path}" has changed since the run was trained with it (${provides.join(', ')}).`];
  });
