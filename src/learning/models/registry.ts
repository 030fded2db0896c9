import { catalogue } from '../../core/features/catalogue.ts';
import type { OwnFeature } from '../../core/features/define-feature.ts';
import type { Feature } from '../../core/features/feature.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { buyAndHold } from './buy-and-hold/index.ts';
import { classicalModels } from './classical.ts';
import { cnnLstmModel } from './cnn-lstm/index.ts';
import { graphAttentionModel } from './graph-attention/index.ts';
import { gruModel } from './gru/index.ts';
import { lstmModel } from './lstm/index.ts';
import { dqn } from './dqn/index.ts';
import { lstmCnn } from './lstm-cnn/index.ts';
import { lateFusion } from './late-fusion/index.ts';
import type { Model } from '../../core/forecast/model.ts';
import { multiTask } from './multi-task/index.ts';
import { multiTimeframe } from './multi-timeframe/index.ts';
import { oneBarReversal } from './one-bar-reversal/index.ts';
import { persistence } from './persistence/index.ts';
import { ppo } from './ppo/index.ts';
import { quantModels } from './quant.ts';
import { findStrategy, strategies } from '../../core/strategy/registry.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import { tcnGraphLstm } from './tcn-graph-lstm/index.ts';
import { tft } from './tft/index.ts';
import { transformerModel } from './transformer/index.ts';

/**
 * Every model, in the order in which they are trained. This file is loaded by quick commands: a model imports
 * what is heavy (TensorFlow.js, ONNX Runtime) inside `fit` and `load`, never at the top of its file.
 */
export const models: readonly Model[] = [
  buyAndHold,
  persistence,
  oneBarReversal,
  ...classicalModels,
  tft,
  lstmCnn,
  lstmModel,
  gruModel,
  transformerModel,
  cnnLstmModel,
  multiTask,
  multiTimeframe,
  lateFusion,
  graphAttentionModel,
  tcnGraphLstm,
  ppo,
  dqn,
  ...quantModels,
];

/** What `train --approach` chooses from: models that learn, rules that a person states, or both; baselines always. */
export const APPROACHES = ['ml', 'quant', 'both'] as const;
export type Approach = (typeof APPROACHES)[number];

export const modelsOf = ({ models: all }: Registry, approach: Approach): readonly Model[] =>
  all.filter(({ kind }) =>
    kind === 'baseline' || approach === 'both' ? true : (kind === 'rule') === (approach === 'quant'),
  );

/** A file of the user's that something of a registry comes from. */
export interface PluginFile {
  /** As the project names it. */
  readonly path: string;
  readonly sha256: string;
  /** What it brings: ids of models, strategies and sources, names of features. */
  readonly provides: readonly string[];
}

/** What is the user's own, beside ours. */
export interface OwnParts {
  readonly models?: readonly Model[];
  readonly features?: readonly OwnFeature[];
  readonly strategies?: readonly Strategy[];
  /** The files that they come from. */
  readonly plugins?: readonly PluginFile[];
  /** Networks are not there: neither trained nor asked. */
  readonly withoutDeep?: boolean;
}

/** What a project can name, ours and the user's: handed to whatever trains, loads, decides or lists. */
export interface Registry {
  /** In the order in which they are trained. */
  readonly models: readonly Model[];
  /** The catalogue, and behind it the user's own. */
  readonly features: readonly (Feature | OwnFeature)[];
  readonly strategies: readonly Strategy[];
  /** The files that what is not ours comes from. */
  readonly plugins: readonly PluginFile[];
  /** Models that the settings leave out, and are not among `models`. */
  readonly switchedOff: readonly string[];
  /** Throws `UserError` with the nearest id for one that is not there. */
  findModel(id: string): Model;
  /** Throws `UserError` with the nearest id for one that is not there. */
  findStrategy(id: string): Strategy;
}

/** Ours and `own`, which comes behind. Throws `UserError` when two models, features or strategies have one name. */
export function createRegistry(own: OwnParts = {}): Registry {
  const brought = [...models, ...(own.models ?? [])];
  const all =
    own.withoutDeep === true
      ? brought.filter(({ kind }) => kind !== 'deep').map(({ fullParams: _, ...model }) => model)
      : brought;
  const features = [...catalogue, ...(own.features ?? [])];
  const known = [...strategies, ...(own.strategies ?? [])];
  const ids = all.map(({ id }) => id);
  const switchedOff = brought.flatMap(({ id }) => (ids.includes(id) ? [] : [id]));
  requireOnce(
    'models with the id',
    brought.map(({ id }) => id),
  );
  requireOnce(
    'features with the name',
    features.map(({ name }) => name),
  );
  requireOnce(
    'strategies with the id',
    known.map(({ id }) => id),
  );
  const byId = new Map(all.map((model) => [model.id, model]));
  return {
    models: all,
    features,
    strategies: known,
    plugins: own.plugins ?? [],
    switchedOff,
    findModel: (id) => {
      const found = byId.get(id);
      if (found !== undefined) return found;
      if (switchedOff.includes(id))
        throw new UserError(`"${id}" is a network, and deepLearning.enabled is false.`, {
          hint: 'Set it to true, or name another model.',
        });
      throw new UserError(`Unknown model "${id}".`, { hint: suggest(id, ids) });
    },
    findStrategy: (id) => findStrategy(id, known),
  };
}

/** Of the models and features `names` what is the user's own: the files they come from, and the features' parameters. */
export const ownPartsOf = ({ plugins, features }: Registry, names: readonly string[]) => ({
  files: plugins.filter(({ provides }) => provides.some((name) => names.includes(name))),
  featureParameters: Object.fromEntries(
    features.flatMap((one) =>
      'parameters' in one && names.includes(one.name) ? [[one.name, one.parameters]] : [],
    ),
  ),
});

/** Ours alone. */
export const builtIn = createRegistry();

function requireOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new UserError(`There are two ${what} "${twice}".`, { hint: 'Give your own another one.' });
}
