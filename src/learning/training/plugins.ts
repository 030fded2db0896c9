import type { Feature } from '../../core/features/feature.ts';
import type { Registry } from '../models/registry.ts';
import type { RunPlan } from './run-folder.ts';

/** A model of a run that nothing here brings, and where it came from when the run was planned. */
export function absentPlugin(
  { plugins }: RunPlan,
  id: string,
  { switchedOff }: Registry,
): { readonly id: string; readonly reason: string } {
  const from = plugins.find(({ provides }) => provides.includes(id));
  const reason = switchedOff.includes(id)
    ? 'it is a network, and deepLearning.enabled is false.'
    : from === undefined
      ? 'this version of the program has no such model.'
      : `its plug-in "${from.path}" is not here or could not be loaded.`;
  return { id, reason };
}

/** The features that there are, the user's own with the parameters that the run was trained with. */
export const featuresOfRun = ({ featureParameters }: RunPlan, { features }: Registry): readonly Feature[] =>
  features.map((one) =>
    'withParameters' in one && Object.hasOwn(featureParameters, one.name)
      ? one.withParameters(featureParameters[one.name])
      : one,
  );

/** Of `names` the first that was a feature of the user's own when the run was planned, and that nothing here brings. */
export function absentFeature(
  { plugins }: RunPlan,
  names: readonly string[],
  { features }: Registry,
): string | undefined {
  const there = new Set(features.map(({ name }) => name));
  const absent = names.find(
    (name) => !there.has(name) && plugins.some(({ provides }) => provides.includes(name)),
  );
  if (absent === undefined) return undefined;
  const from = plugins.find(({ provides }) => provides.includes(absent));
  return `its feature "${absent}" comes from the plug-in "${from?.path}", which is not here or could not be loaded.`;
}

/** Plug-ins of a run whose file is another one now. */
export const changedPlugins = ({ plugins }: RunPlan, registry: Registry): readonly string[] =>
  plugins.flatMap(({ path, sha256, provides }) => {
    const now = registry.plugins.find((one) => one.provides.some((id) => provides.includes(id)));
    if (now === undefined || now.sha256 === sha256) return [];
    return [`The plug-in "${path}" has changed since the run was trained with it (${provides.join(', ')}).`];
  });
