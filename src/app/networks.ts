/**
 * Building blocks of networks: `import { deepModel, tftNetwork } from 'crypto-trader/networks'`. A network is declared
 * with layers in shapes that their comments state, traced by TensorFlow.js and trained by ONNX Runtime; windows,
 * training, calibration and checkpoints come with `deepModel`. This door loads both, which takes about a second.
 */
export { defineNetwork, named, within } from '../learning/engine/network.ts';
export type { Declare, Initializer, Layer, Network, Parameter, Pass } from '../learning/engine/network.ts';
export { type Tensor, tf } from '../learning/engine/tf.ts';
export { gaussian, zeros } from '../learning/engine/initializers.ts';
export { interpretableAttention, multiHeadAttention } from '../learning/engine/layers/attention.ts';
export { bidirectionalLstm } from '../learning/engine/layers/bidirectional.ts';
export { averagePool1d, causalConv1d, maxPool1d } from '../learning/engine/layers/conv1d.ts';
export { dense } from '../learning/engine/layers/dense.ts';
export { dropout } from '../learning/engine/layers/dropout.ts';
export { embedding } from '../learning/engine/layers/embedding.ts';
export { gatedLinear, gatedResidual, variableSelection } from '../learning/engine/layers/gated.ts';
export { graphAttention } from '../learning/engine/layers/graph-attention.ts';
export { gru } from '../learning/engine/layers/gru.ts';
export { layerNorm } from '../learning/engine/layers/layer-norm.ts';
export { lstm } from '../learning/engine/layers/lstm.ts';
export { attentionOverSteps } from '../learning/learners/deep/layers.ts';
export type {
  Architecture,
  BranchSizes,
  Calibration,
  ClassBalance,
  DeepNetwork,
  Explained,
  Head,
  HeadSample,
  NetworkOutput,
  NetworkSizes,
} from '../learning/learners/deep/architecture.ts';
export { deepModel, type DeepModelAbout } from '../learning/learners/deep/deep-model.ts';
export { directionHead, type DirectionRule } from '../learning/learners/deep/direction-head.ts';
export { oneWindow } from '../learning/learners/deep/inputs.ts';
export { type DeepParams, trainingParams } from '../learning/learners/deep/params.ts';
export { quantileHead } from '../learning/learners/deep/quantile-head.ts';
export { returnTargets, type Targets } from '../learning/learners/deep/targets.ts';
export { tftNetwork, type TftSizes } from '../learning/models/tft/network.ts';
export { tftArchitecture } from '../learning/models/tft/architecture.ts';
export {
  binaryCrossEntropy,
  crossEntropy,
  meanSquared,
  quantileLoss,
  smoothL1,
} from '../learning/engine/losses.ts';
export {
  adam,
  type AdamOptions,
  adamw,
  type Optimizer,
  rmsprop,
  sgd,
} from '../learning/engine/optimizers.ts';
export {
  constantRate,
  cosineWithWarmUp,
  linearDecay,
  oneCycle,
  type PlateauState,
  reduceOnPlateau,
  type Schedule,
} from '../learning/engine/schedules.ts';
export {
  createTrainer,
  type Loss,
  type StepResult,
  type Trainer,
  type TrainerOptions,
} from '../learning/engine/trainer.ts';
