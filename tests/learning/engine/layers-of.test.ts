import { describe, expect, it } from 'vitest';
import { layersOf } from '../../../src/learning/engine/layers-of.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { gru } from '../../../src/learning/engine/layers/gru.ts';
import { toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { tf } from '../../../src/learning/engine/tf.ts';
import { models } from '../../../src/learning/models/registry.ts';

describe('the layers of a network', () => {
  it('have the shapes and parameters that PyTorch gives them', () => {
    // torch.nn.GRU(5, 7): weight_ih 21 x 5, weight_hh 21 x 7, two biases of 21. torch.nn.Linear(7, 2): 2 x 7 and 2.
    const network = defineNetwork('small', (declare) => {
      const recurrent = gru(declare, 'encoder', { inputs: 5, hidden: 7 });
      const head = dense(declare, 'head', { inputs: 7, outputs: 2 });
      return (pass, { x }: Readonly<Record<string, ReturnType<typeof tf.zeros>>>) => {
        const steps = recurrent(pass, { steps: toSteps(x) });
        const twice = head(pass, tf.transpose(steps[3]));
        return tf.add(twice, head(pass, tf.transpose(steps[0])));
      };
    });
    expect(
      layersOf({
        network,
        batch: { x: { shape: [1, 4, 5], type: 'float32' } },
        outputs: (pass, { x }) => ({ y: network.forward(pass, { x }) }),
      }),
    ).toEqual({
      inputs: [{ name: 'x', shape: [1, 4, 5] }],
      parameters: 21 * 5 + 21 * 7 + 2 * 21 + 16,
      layers: [
        {
          kind: 'gru',
          name: 'encoder',
          depth: 0,
          inputs: [[4, 5, 1]],
          outputs: [[4, 7, 1]],
          parameters: 294,
          times: 1,
        },
        {
          kind: 'dense',
          name: 'head',
          depth: 0,
          inputs: [[1, 7]],
          outputs: [[1, 2]],
          parameters: 16,
          times: 2,
        },
      ],
    });
  });

  it.each(models.filter((model) => 'layers' in model).map((model) => [model.id, model] as const))(
    'of %s are told without training it, and hold every parameter at most once',
    async (_, model) => {
      const params = model.params.parse(model.quickParams ?? {});
      const { layers = [], parameters = 0 } =
        (await model.layers?.(params, {
          timeframe: '1h',
          symbols: ['BTC/USDT', 'ETH/USDT'],
          features: model.features(params),
          lengths: [],
        })) ?? {};
      const outermost = layers.filter(({ depth }) => depth === 0);
      const held = outermost.reduce((sum, layer) => sum + layer.parameters, 0);
      expect(layers.length).toBeGreaterThan(1);
      expect(held).toBeGreaterThan(parameters / 2);
      expect(held).toBeLessThanOrEqual(parameters);
      for (const layer of layers) expect([layer.name, layer.outputs.length > 0]).toEqual([layer.name, true]);
    },
  );
});
