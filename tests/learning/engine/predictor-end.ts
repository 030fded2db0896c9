/** A forecast on two threads that exits with code 7 while both compute, for `predictor.test.ts` to start as a process of its own. */
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { predictOnThreads } from '../../../src/learning/engine/parallel/predict.ts';
import { exportOnnx } from '../../../src/learning/engine/predictor.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { initialParameters } from '../../../src/learning/engine/weights.ts';

const [ROWS, WIDTH] = [4096, 1024]; // a run takes tenths of a second
const network = defineNetwork('wide', (declare) => {
  const layers = [0, 1, 2, 3].map((i) => dense(declare, `layer-${i}`, { inputs: WIDTH, outputs: WIDTH }));
  return (pass, x: Tensor) => layers.reduce((values, layer) => tf.tanh(layer(pass, values)), x);
});
const model = exportOnnx({
  network,
  outputs: (pass, { x }) => ({ y: network.forward(pass, x) }),
  parameters: initialParameters(network.parameters, 1),
  batch: { x: { shape: [ROWS, WIDTH], type: 'float32' } },
});
const x = new Float32Array(ROWS * WIDTH);
await predictOnThreads(model, 2, {
  count: 1000,
  feeds: () => ({ x }),
  take: () => setTimeout(() => process.exit(7), 20),
});
