import { interpretableAttention } from '../../engine/layers/attention.ts';
import { dense } from '../../engine/layers/dense.ts';
import { dropout } from '../../engine/layers/dropout.ts';
import { embedding } from '../../engine/layers/embedding.ts';
import {
  gatedLinear,
  gatedResidual,
  type ScalarVariables,
  variableSelection,
  type VariableSelectionOutput,
} from '../../engine/layers/gated.ts';
import { layerNorm } from '../../engine/layers/layer-norm.ts';
import { lstm, type LstmState } from '../../engine/layers/lstm.ts';
import { fromSteps, toSteps } from '../../engine/layers/sequence.ts';
import { gaussian, zeros } from '../../engine/initializers.ts';
import { type Declare, defineNetwork, type Layer, within } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { DeepNetwork } from '../../learners/deep/architecture.ts';
import { windowsOf } from '../../learners/deep/layers.ts';

/** Sizes of a Temporal Fusion Transformer. */
export interface TftSizes {
  readonly hidden: number;
  readonly heads: number;
  /** LSTM layers of the encoder and of the decoder; default 1, as in the paper. */
  readonly layers?: number;
  readonly dropout: number;
  readonly lookBack: number;
  /** Bars that are decoded; the calendar of each is known. */
  readonly futureBars: number;
  /** The decoded bars, counted from 1, that get an output. */
  readonly outputBars: readonly number[];
  readonly outputsPerBar: number;
  readonly observedInputs: number;
  readonly knownInputs: number;
  readonly symbols: number;
}

/** Layer normalisation as in Google's and NVIDIA's code. */
const EPSILON = 1e-3;

/**
 * The Temporal Fusion Transformer (Lim et al. 2021) in NVIDIA's layout and parameter names, with one static
 * covariate, the symbol: its selection network would choose among one and is left out. The last observed
 * input is the past of what is forecast. Inputs: `observed` [rows, lookBack, observedInputs],
 * `known` [rows, lookBack + futureBars, knownInputs], `symbol` [rows]; or a block of bars (deep/bar-block.ts).
 * Output: [rows, outputBars x outputsPerBar].
 */
export function tftNetwork(sizes: TftSizes): DeepNetwork {
  const { hidden, heads, layers = 1, dropout: rate, lookBack, futureBars, outputBars } = sizes;
  const { observedInputs, knownInputs, symbols } = sizes;
  return defineNetwork('tft', (declare) => {
    const embed = within(declare, 'embedding');
    const embedKnown = scalarEmbedding(embed, 't_cont_k_embedding', { variables: knownInputs, hidden });
    const embedObserved = scalarEmbedding(embed, 't_cont_o_embedding', {
      variables: observedInputs - 1,
      hidden,
    });
    const embedTarget = scalarEmbedding(embed, 't_tgt_embedding', { variables: 1, hidden });
    const embedSymbol = embedding(embed, 's_cat_embed.0', { classes: symbols, size: hidden });

    const staticEncoder = within(declare, 'static_encoder');
    const encodeSymbol = gatedResidual(staticEncoder, 'vsn.var_grns.0', {
      inputs: hidden,
      hidden,
      dropout: rate,
    });
    const contexts = [0, 1, 2, 3].map((i) =>
      gatedResidual(staticEncoder, `context_grns.${i}`, { inputs: hidden, hidden, dropout: rate }),
    );

    const body = within(declare, 'TFTpart2');
    const selection = { hidden, context: hidden, dropout: rate };
    const selectPast = variableSelection(body, 'history_vsn', {
      variables: observedInputs + knownInputs,
      ...selection,
    });
    const encoder = lstmStack(body, 'history_encoder', hidden, layers);
    const selectFuture = variableSelection(body, 'future_vsn', { variables: knownInputs, ...selection });
    const decoder = lstmStack(body, 'future_encoder', hidden, layers);
    const addInput = gatedSkip(body, ['input_gate', 'input_gate_ln'], hidden, rate);
    const enrich = gatedResidual(body, 'enrichment_grn', {
      inputs: hidden,
      hidden,
      context: hidden,
      dropout: rate,
    });
    const attend = interpretableAttention(body, 'attention', { size: hidden, heads });
    const addAttention = gatedSkip(body, ['attention_gate', 'attention_ln'], hidden, rate);
    const positionwise = gatedResidual(body, 'positionwise_grn', { inputs: hidden, hidden, dropout: rate });
    const addDecoded = gatedSkip(body, ['decoder_gate', 'decoder_ln'], hidden, 0);
    const quantiles = dense(body, 'quantile_proj', { inputs: hidden, outputs: sizes.outputsPerBar });

    const at = outputBars.map((bar) => lookBack + bar - 1);
    const asked = (x: Tensor): Tensor => tf.gather(x, tf.tensor(at, [at.length], 'int32'), 1);

    return (pass, { observed, known, symbol, bars, calendar }) => {
      const encoded = encodeSymbol(pass, { x: embedSymbol(pass, symbol) });
      // [rows, hidden] each; of a block, which is of one symbol, [1, hidden].
      const [forSelection, forEnrichment, hidden0, cell0] = contexts.map((layer) =>
        layer(pass, { x: encoded }),
      );
      const overTime = (context: Tensor): Tensor => tf.expandDims(context, 1); // [rows, 1, hidden]
      const select = (features: Tensor, times: Tensor, timesToCome: Tensor): Selected => {
        const [covariates, target] = tf.split(features, [observedInputs - 1, 1], 2);
        const context = overTime(forSelection);
        const variables = together([
          embedObserved(pass, covariates),
          embedKnown(pass, times),
          embedTarget(pass, target),
        ]);
        return {
          past: selectPast(pass, { variables, context }),
          future: selectFuture(pass, { variables: embedKnown(pass, timesToCome), context }),
        };
      };
      /** A bar's variables are selected once, whatever number of windows hold it. */
      const selectOnce = (): Selected => {
        const times = tf.slice(calendar, [0, 0], [bars.shape[0], -1]);
        const timesToCome = tf.slice(calendar, [lookBack, 0], [-1, -1]);
        const [one, two, three] = [bars, times, timesToCome].map((x) => tf.expandDims(x, 0));
        const { past, future } = select(one, two, three);
        return { past: inWindows(past, lookBack), future: inWindows(future, futureBars) };
      };
      const { past, future } = bars
        ? selectOnce()
        : select(
            observed,
            tf.slice(known, [0, 0, 0], [-1, lookBack, -1]),
            tf.slice(known, [0, lookBack, 0], [-1, -1, -1]),
          );
      const rows = past.output.shape[0];
      const column = (context: Tensor): Tensor => tf.transpose(tf.broadcastTo(context, [rows, hidden]));
      const initial = { hidden: column(hidden0), cell: column(cell0) };
      const history = encoder(pass, {
        steps: toSteps(past.output),
        initial: Array.from({ length: layers }, () => initial),
      });
      const decoded = decoder(pass, { steps: toSteps(future.output), initial: history.final });
      const sequence = fromSteps([...history.steps, ...decoded.steps]); // [rows, lookBack + futureBars, hidden]
      const selected = tf.concat([past.output, future.output], 1);
      const temporal = addInput(pass, { x: sequence, skip: selected });

      const enriched = enrich(pass, { x: temporal, context: overTime(forEnrichment) });
      // Only the bars that get an output ask, and only they go on.
      const attention = attend(pass, { x: enriched, at });
      const fused = addAttention(pass, { x: attention.output, skip: asked(enriched) });
      const out = addDecoded(pass, { x: positionwise(pass, { x: fused }), skip: asked(temporal) });

      return {
        output: tf.reshape(quantiles(pass, out), [rows, outputBars.length * sizes.outputsPerBar]),
        explanation: {
          past: tf.mean(past.weights, [0, 1]), // [observed + known]
          future: tf.mean(future.weights, [0, 1]), // [known]
          attention: tf.mean(attention.weights, 0), // [output bars, lookBack + futureBars]
        },
      };
    };
  });
}

interface StackInput {
  readonly steps: readonly Tensor[];
  /** One a layer. */
  readonly initial: readonly LstmState[];
}
interface StackOutput {
  readonly steps: readonly Tensor[];
  readonly final: readonly LstmState[];
}

/** LSTM layers one above the other, each from a state of its own. */
function lstmStack(
  declare: Declare,
  name: string,
  hidden: number,
  layers: number,
): Layer<StackInput, StackOutput> {
  const stack = Array.from({ length: layers }, (_, i) =>
    lstm(declare, i === 0 ? name : `${name}.${i}`, { inputs: hidden, hidden }),
  );
  return (pass, { steps, initial }) => {
    const final: LstmState[] = [];
    for (const [i, layer] of stack.entries()) {
      const output = layer(pass, { steps, initial: initial[i] });
      steps = output.steps;
      final.push(output.final);
    }
    return { steps, final };
  };
}

/** What was selected of the bars of the window, and of those to come. */
interface Selected {
  readonly past: VariableSelectionOutput;
  readonly future: VariableSelectionOutput;
}

/** What was selected of a block of bars, [1, bars, hidden], as windows [windows, length, hidden]. */
const inWindows = (
  { output, weights }: VariableSelectionOutput,
  length: number,
): VariableSelectionOutput => ({
  output: windowsOf(tf.squeeze(output, [0]), length),
  weights,
});

/** Every scalar variable times its own vector plus its own bias. */
function scalarEmbedding(
  declare: Declare,
  name: string,
  { variables, hidden }: { readonly variables: number; readonly hidden: number },
): Layer<Tensor, ScalarVariables> {
  const vectors = declare(`${name}_vectors`, [variables, hidden], gaussian(Math.sqrt(2 / hidden)));
  const biases = declare(`${name}_bias`, [variables, hidden], zeros);
  return (pass, values) => ({ values, vectors: pass.value(vectors), biases: pass.value(biases) });
}

const together = (parts: readonly ScalarVariables[]): ScalarVariables => ({
  values: tf.concat(
    parts.map(({ values }) => values),
    -1,
  ),
  vectors: tf.concat(
    parts.map(({ vectors }) => vectors),
    0,
  ),
  biases: tf.concat(
    parts.map(({ biases }) => biases),
    0,
  ),
});

/** LayerNorm(skip + GLU(dropout(x))). */
function gatedSkip(
  declare: Declare,
  [gateName, normName]: readonly [string, string],
  hidden: number,
  rate: number,
): Layer<{ readonly x: Tensor; readonly skip: Tensor }> {
  const gate = gatedLinear(declare, gateName, { inputs: hidden, outputs: hidden });
  const norm = layerNorm(declare, normName, { size: hidden, epsilon: EPSILON });
  return (pass, { x, skip }) => norm(pass, tf.add(gate(pass, dropout(pass, x, rate)), skip));
}
