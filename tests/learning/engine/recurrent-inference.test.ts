import { describe, expect, it } from 'vitest';
import { bidirectionalLstm } from '../../../src/learning/engine/layers/bidirectional.ts';
import { gru } from '../../../src/learning/engine/layers/gru.ts';
import { lstm } from '../../../src/learning/engine/layers/lstm.ts';
import { fromSteps, toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { type Declare, defineNetwork, type Layer } from '../../../src/learning/engine/network.ts';
import { createPredictor, exportOnnx, openPredictor } from '../../../src/learning/engine/predictor.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { initialParameters } from '../../../src/learning/engine/weights.ts';
import { distance, fill } from './golden.ts';

const [TIME, FEATURES, HIDDEN] = [6, 4, 5];
const sizes = { inputs: FEATURES, hidden: HIDDEN };

const layersFor = (start: () => Tensor): readonly (readonly [string, (declare: Declare) => Layer])[] => [
  [
    'LSTM, every step',
    (declare) => {
      const layer = lstm(declare, 'l', sizes);
      return (pass, x) => fromSteps(layer(pass, { steps: toSteps(x) }).steps);
    },
  ],
  [
    'LSTM from a given state to its last state',
    (declare) => {
      const layer = lstm(declare, 'l', sizes);
      return (pass, x) => {
        const { final } = layer(pass, { steps: toSteps(x), initial: { hidden: start(), cell: start() } });
        return tf.concat([final.hidden, final.cell], 0);
      };
    },
  ],
  [
    'two LSTMs, one upon the other',
    (declare) => {
      const [lower, upper] = [lstm(declare, 'l', sizes), lstm(declare, 'u', { inputs: HIDDEN, hidden: 2 })];
      return (pass, x) => upper(pass, { steps: lower(pass, { steps: toSteps(x) }).steps }).final.hidden;
    },
  ],
  [
    'bidirectional LSTM',
    (declare) => {
      const layer = bidirectionalLstm(declare, 'b', sizes);
      return (pass, x) => fromSteps(layer(pass, toSteps(x)));
    },
  ],
  [
    'GRU from a given state',
    (declare) => {
      const layer = gru(declare, 'g', sizes);
      return (pass, x) => fromSteps(layer(pass, { steps: toSteps(x), initial: start() }));
    },
  ],
];

describe.each([
  ["ONNX's own operator", 3, true],
  ['the unrolled steps', 32, false],
])('%s', (_, rows, byOperator) => {
  const start = (): Tensor => tf.tensor(fill([HIDDEN, rows], 0.4), [HIDDEN, rows]);
  it.each(layersFor(start))('the exported %s', async (_, build) => {
    const network = defineNetwork('recurrent', build);
    const predict = {
      network,
      outputs: (pass: Parameters<Layer>[0], { x }: Readonly<Record<string, Tensor>>) => ({
        y: network.forward(pass, x),
      }),
      parameters: initialParameters(network.parameters, 3),
      batch: { x: { shape: [rows, TIME, FEATURES], type: 'float32' as const } },
    };
    const onnx = exportOnnx(predict);
    expect(/LSTM|GRU/.test(Buffer.from(onnx).toString('latin1'))).toBe(byOperator);
    const [exported, eager] = [
      await openPredictor(onnx),
      await createPredictor({ ...predict, engine: 'tfjs' }),
    ];
    const x = fill([rows, TIME, FEATURES], 0.2);
    expect(distance((await exported.run({ x })).y, (await eager.run({ x })).y)).toBeLessThan(1e-6);
    await Promise.all([exported.dispose(), eager.dispose()]);
  });
});
