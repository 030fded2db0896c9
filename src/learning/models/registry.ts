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

export const modelsOf = (approach: Approach): readonly Model[] =>
  models.filter(({ kind }) =>
    kind === 'baseline' || approach === 'both' ? true : (kind === 'rule') === (approach === 'quant'),
  );

/** Throws `UserError` with the nearest id for one that is not there. */
export function findModel(id: string): Model {
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return found;
  throw new UserError(`Unknown model "${id}".`, {
    hint: suggest(
      id,
      models.map((model) => model.id),
    ),
  });
}
