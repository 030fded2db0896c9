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

/** A file of the user's that models come from. */
export interface PluginFile {
  /** As the project names it. */
  readonly path: string;
  readonly sha256: string;
  /** What it brings: ids of models, names of features and sources. */
  readonly provides: readonly string[];
}

/** The models of a project, ours and the user's: handed to whatever trains, loads or lists models. */
export interface Registry {
  /** In the order in which they are trained. */
  readonly models: readonly Model[];
  /** The files that the models which are not ours come from. */
  readonly plugins: readonly PluginFile[];
  /** Throws `UserError` with the nearest id for one that is not there. */
  findModel(id: string): Model;
}

/** Our models and `own`, which come after them. Throws `UserError` when two have one id. */
export function createRegistry(own: readonly Model[], plugins: readonly PluginFile[]): Registry {
  const all = [...models, ...own];
  const byId = new Map(all.map((model) => [model.id, model]));
  if (byId.size < all.length) {
    const twice = own.find((model, i) => all.slice(0, models.length + i).some(({ id }) => id === model.id));
    throw new UserError(`There are two models with the id "${twice?.id}".`, {
      hint: 'Give your own model another id.',
    });
  }
  return {
    models: all,
    plugins,
    findModel: (id) => {
      const found = byId.get(id);
      if (found !== undefined) return found;
      throw new UserError(`Unknown model "${id}".`, { hint: suggest(id, [...byId.keys()]) });
    },
  };
}

/** Our own models and no others. */
export const builtIn = createRegistry([], []);
