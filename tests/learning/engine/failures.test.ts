import { describe, expect, it } from 'vitest';
import { defaultDevice, executionProviders } from '../../../src/learning/engine/devices.ts';
import { probe, useDevice } from '../../../src/learning/engine/use-device.ts';
import { compileProgram } from '../../../src/learning/engine/executor.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { sgd } from '../../../src/learning/engine/optimizers.ts';
import { createPredictor, exportOnnx, openPredictor } from '../../../src/learning/engine/predictor.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer } from '../../../src/learning/engine/trainer.ts';
import { initialParameters, loadState, saveState } from '../../../src/learning/engine/weights.ts';

const compile = (build: (x: Tensor) => Tensor): Uint8Array =>
  compileProgram({ name: 'plan', build: (inputs) => ({ y: build(inputs.input('x', [2, 3], 'float32')) }) })
    .model;

describe('what cannot be compiled is refused by name', () => {
  it('an operation without an ONNX form', () => {
    expect(() => compile((x) => tf.real(tf.fft(tf.complex(x, x))))).toThrow(/complex|Complex/);
    expect(() => compile((x) => tf.topk(x, 2).values)).toThrow(
      'TF.js kernel "TopK" of [2, 3]: it has no ONNX form',
    );
  });

  it('shapes that do not fit, with both shapes', () => {
    expect(() => compile((x) => tf.add(x, tf.ones([2])))).toThrow('shapes [2, 3] and [2] do not broadcast');
    expect(() => compile((x) => tf.matMul(x, x))).toThrow('inner sizes 3 and 2 differ');
  });

  it('numbers drawn in JavaScript, which would be frozen into the graph', () => {
    expect(() => compile((x) => tf.dropout(x, 0.5))).toThrow('would be frozen into the compiled graph');
    expect(() => compile((x) => tf.add(x, tf.randomUniform([2, 3])))).toThrow('would be frozen');
    expect(Math.random()).toBeLessThan(1);
  });

  it('reading a value that does not exist yet', () => {
    expect(() => compile((x) => tf.mul(x, tf.sum(x).dataSync()[0]))).toThrow('Values do not exist');
  });

  it('and afterwards the next graph compiles', () => {
    expect(compile((x) => tf.tanh(x)).length).toBeGreaterThan(0);
  });
});

const network = defineNetwork('line', (declare) => {
  const layer = dense(declare, 'line', { inputs: 2, outputs: 1 });
  return (pass, x: Tensor) => layer(pass, x);
});
const parameters = initialParameters(network.parameters, 1);
const predict = {
  network,
  outputs: (pass: Parameters<typeof network.forward>[0], { x }: Readonly<Record<string, Tensor>>) => ({
    y: network.forward(pass, x),
  }),
  parameters,
  batch: { x: { shape: [1, 2], type: 'float32' as const } },
};

describe('training of a network that cannot be compiled names the network, the layer and the operation', () => {
  const train = (forward: (x: Tensor) => Tensor, inputs: number) => {
    const broken = defineNetwork('plan', (declare) => {
      const layer = dense(declare, 'second', { inputs, outputs: 1 });
      return (pass, x: Tensor) => layer(pass, forward(x));
    });
    return createTrainer({
      network: broken,
      optimizer: sgd(),
      loss: (pass, { x }) => tf.mean(broken.forward(pass, x)),
      batch: { x: { shape: [4, 3], type: 'float32' } },
      seed: 1,
    });
  };

  it('an operation without an ONNX form', async () => {
    await expect(train((x) => tf.topk(x, 2).values, 2)).rejects.toThrow(
      'In network "plan": TF.js kernel "TopK" of [4, 3]: it has no ONNX form',
    );
  });
  it('a wrong shape', async () => {
    await expect(train((x) => x, 2)).rejects.toThrow(/In network "plan": In dense "second": .*3.*2/);
  });
});

describe('damaged or foreign files', () => {
  it('an ONNX file with a broken byte or a missing end does not open', async () => {
    const model = exportOnnx(predict);
    await expect(openPredictor(model.slice(0, model.length - 30))).rejects.toThrow('cannot be read');
    await expect(
      openPredictor(Uint8Array.from(model, (byte, i) => (i < 40 ? byte ^ 0x5a : byte))),
    ).rejects.toThrow('cannot be read');
  });

  it('weights with a changed byte, a missing end or a broken index are named damaged', () => {
    const { index, blob } = saveState(network.parameters, { step: 3, parameters, slots: {} });
    const changed = blob.slice();
    changed[5] ^= 1;
    expect(() => loadState(network.parameters, index, changed)).toThrow('do not match their SHA-256');
    expect(() => loadState(network.parameters, index, blob.slice(4))).toThrow('8 bytes found, 12 expected');
    expect(() => loadState(network.parameters, { ...index, step: -1 }, blob)).toThrow(
      'its index is not valid',
    );
    expect(loadState(network.parameters, index, blob)).toEqual({ step: 3, parameters, slots: {} });
  });

  it('a checkpoint of another architecture names the first difference', () => {
    const { index, blob } = saveState(network.parameters, { step: 0, parameters, slots: {} });
    const wider = defineNetwork('line', (declare) => dense(declare, 'line', { inputs: 3, outputs: 1 }));
    expect(() => loadState(wider.parameters, index, blob)).toThrow(
      'expected "line.weight [1, 3]", found "line.weight [1, 2]"',
    );
  });
});

describe('devices', () => {
  it.each([
    ['cpu', ['cpu', 'webgpu'], ['cpu']],
    ['auto', ['cpu', 'webgpu'], ['cpu']],
    ['auto', ['cpu', 'cuda'], ['cuda', 'cpu']],
    ['webgpu', ['cpu', 'webgpu'], ['webgpu', 'cpu']],
  ] as const)('%s with %j runs on %j', (device, available, expected) => {
    expect(executionProviders(device, available)).toEqual(expected);
  });

  it('a missing device is an error that says what to install', () => {
    expect(() => executionProviders('cuda', ['cpu'])).toThrow(
      expect.objectContaining({
        message: 'Device "cuda" is not available here (found: cpu).',
        hint: expect.stringContaining('ONNXRUNTIME_NODE_INSTALL=cuda12 node') as string,
      }),
    );
  });

  it('the processor gives the known answer of the probe', async () => {
    await expect(probe('cpu')).resolves.toBeUndefined();
  });

  it('networks run on the processor where the device that is asked for is missing, and say why', async () => {
    const missing = (['cuda', 'coreml'] as const).find((device) => {
      try {
        executionProviders(device);
        return false;
      } catch {
        return true;
      }
    });
    expect(missing).toBeDefined();
    try {
      expect(await useDevice(missing ?? 'cuda')).toContain(`Device "${missing}" is not available here`);
      expect(defaultDevice()).toBe('cpu');
      expect(await useDevice('cpu')).toBeUndefined();
    } finally {
      await useDevice('auto');
    }
    expect(defaultDevice()).toBe('auto');
  });

  it('the default device always works', async () => {
    const predictor = await createPredictor({ ...predict, device: 'auto' });
    const { y } = await predictor.run({ x: Float32Array.of(1, 2) });
    const [a, b, bias] = parameters;
    expect(y[0]).toBeCloseTo(a + 2 * b + bias, 6);
    await predictor.dispose();
  });
});
