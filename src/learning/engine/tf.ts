import { createRequire } from 'node:module';
import type * as TensorFlow from '@tensorflow/tfjs-core';

export type {
  DataType,
  Rank,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
} from '@tensorflow/tfjs-core';

// The ESM build of tfjs-core does not load in Node (imports without extensions), so take the CommonJS one.
const require = createRequire(import.meta.url);

/** TensorFlow.js with its gradients registered. Models import it from here. */
export const tf = require('@tensorflow/tfjs-core') as typeof TensorFlow;
// Gradients register when tfjs-layers loads; nothing else of it is used.
require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');
tf.enableProdMode();
void tf.setBackend('cpu');
