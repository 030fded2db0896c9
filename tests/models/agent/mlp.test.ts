import { beforeAll, describe, expect, it } from 'vitest';
import { defineNetwork } from '../../../src/engine/network.ts';
import { createPredictor } from '../../../src/engine/predictor.ts';
import { initialParameters, parameterViews } from '../../../src/engine/weights.ts';
import { tf } from '../../../src/engine/tf.ts';
import { createRandom, normal } from '../../../src/foundation/random.ts';
import { mlp, rowMlp } from '../../../src/models/agent/mlp.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each([
  ['tanh', 7, [64, 32], 3],
  ['relu', 4, [13], 2],
] as const)('the %s network on typed arrays', (activation, inputs, hidden, outputs) => {
  it('says what the compiled network says', async () => {
    const shape = { inputs, hidden, outputs, activation };
    const network = defineNetwork('test', (declare) => mlp(declare, 'net', shape, 1));
    const random = createRandom(1);
    const parameters = initialParameters(network.parameters, 3).map((value) => value + 0.1 * normal(random));
    const rows = Float32Array.from({ length: 5 * inputs }, () => 3 * normal(random));
    const predictor = await createPredictor({
      network,
      outputs: (pass, { x }) => ({ y: network.forward(pass, x) }),
      parameters,
      batch: { x: { shape: [5, inputs], type: 'float32' } },
    });
    const { y } = await predictor.run({ x: rows });
    await predictor.dispose();
    const own = rowMlp('net', shape);
    own.load(parameterViews(network.parameters, parameters));
    for (let row = 0; row < 5; row++)
      own.run(rows, row * inputs).forEach((value, k) => expect(value).toBeCloseTo(y[row * outputs + k], 5));
  });
});
