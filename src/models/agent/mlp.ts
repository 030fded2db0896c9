import { orthogonal, zeros } from '../../engine/initializers.ts';
import { dense } from '../../engine/layers/dense.ts';
import { type Declare, type Layer, within } from '../../engine/network.ts';
import { tf } from '../../engine/tf.ts';

export interface MlpShape {
  readonly inputs: number;
  /** Width of each hidden layer. */
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly activation: 'tanh' | 'relu';
}

/**
 * A multilayer perceptron, the last layer linear: [rows, inputs] -> [rows, outputs]. With `outputGain` the weights
 * start orthogonal (gain sqrt 2 inside, `outputGain` last) and biases at 0, else as torch.nn.Linear's.
 */
export function mlp(declare: Declare, name: string, shape: MlpShape, outputGain?: number): Layer {
  const own = within(declare, name);
  const widths = [shape.inputs, ...shape.hidden, shape.outputs];
  const layers = widths.slice(1).map((outputs, i) => {
    const gain = i === shape.hidden.length ? outputGain : Math.SQRT2;
    return dense(own, String(i), {
      inputs: widths[i],
      outputs,
      ...(outputGain !== undefined &&
        gain !== undefined && { weightInitializer: orthogonal(gain), biasInitializer: zeros }),
    });
  });
  const activate = shape.activation === 'tanh' ? tf.tanh : tf.relu;
  return (pass, input) =>
    layers.reduce((x, layer, i) => {
      const y = layer(pass, x);
      return i < shape.hidden.length ? activate(y) : y;
    }, input);
}

/** The same network on typed arrays, one row at a time: what a session's call costs more than it computes. */
export interface RowMlp {
  /** Takes over weights by their names in the network, as `parameterViews` gives them. */
  load(views: ReadonlyMap<string, Float32Array>): void;
  /** Outputs for the row that starts at `input[at]`; overwritten by the next call. */
  run(input: Float32Array, at: number): Float64Array;
}

export function rowMlp(name: string, shape: MlpShape): RowMlp {
  const widths = [shape.inputs, ...shape.hidden, shape.outputs];
  const layers = widths.slice(1).map((outputs, i) => ({
    weight: new Float64Array(outputs * widths[i]),
    bias: new Float64Array(outputs),
    result: new Float64Array(outputs),
  }));
  const activate = shape.activation === 'tanh' ? tanh : relu;
  const row = new Float64Array(shape.inputs);
  return {
    load(views) {
      layers.forEach(({ weight, bias }, i) => {
        weight.set(views.get(`${name}.${i}.weight`) ?? []);
        bias.set(views.get(`${name}.${i}.bias`) ?? []);
      });
    },
    run(input, at) {
      for (let k = 0; k < row.length; k++) row[k] = input[at + k];
      let x = row;
      for (let i = 0; i < layers.length; i++) {
        const { weight, bias, result } = layers[i];
        affine(weight, bias, x, result);
        if (i < layers.length - 1) for (let k = 0; k < result.length; k++) result[k] = activate(result[k]);
        x = result;
      }
      return x;
    },
  };
}

/** y = W x + b, W [outputs, inputs]; four sums at a time keep the processor's multipliers busy. */
function affine(weight: Float64Array, bias: Float64Array, x: Float64Array, y: Float64Array): void {
  const inputs = x.length;
  for (let r = 0, w = 0; r < y.length; r++) {
    let a = bias[r];
    let b = 0;
    let c = 0;
    let d = 0;
    let k = 0;
    for (; k + 3 < inputs; k += 4, w += 4) {
      a += weight[w] * x[k];
      b += weight[w + 1] * x[k + 1];
      c += weight[w + 2] * x[k + 2];
      d += weight[w + 3] * x[k + 3];
    }
    for (; k < inputs; k++, w++) a += weight[w] * x[k];
    y[r] = a + b + (c + d);
  }
}

const relu = (x: number): number => (x > 0 ? x : 0);

/** The rational approximation of Eigen and ONNX Runtime, within 3e-7 of tanh and three times as fast as Math.tanh. */
function tanh(value: number): number {
  const x = value > 7.9 ? 7.9 : value < -7.9 ? -7.9 : value;
  const s = x * x;
  let p = -2.76076847742355e-16 * s + 2.00018790482477e-13;
  p = p * s - 8.60467152213735e-11;
  p = p * s + 5.12229709037114e-8;
  p = p * s + 1.48572235717979e-5;
  p = p * s + 6.37261928875436e-4;
  p = p * s + 4.89352455891786e-3;
  let q = 1.19825839466702e-6 * s + 1.18534705686654e-4;
  q = q * s + 2.268434632439e-3;
  q = q * s + 4.89352518554385e-3;
  return (x * p) / q;
}
