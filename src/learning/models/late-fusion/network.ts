import { bidirectionalLstm } from '../../engine/layers/bidirectional.ts';
import { dense } from '../../engine/layers/dense.ts';
import { gru } from '../../engine/layers/gru.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { type Declare, defineNetwork, type Layer, within } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import { type BarLength, isMadeOf, shortestMs } from '../../../core/market/bar-length.ts';
import type { PanelShape } from '../../learners/deep/inputs.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { branchOf } from '../../learners/deep/branches.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { type AbsentInput, without } from '../../learners/deep/inputs.ts';
import { attentionByLag, attentionOverSteps, stepDropout } from '../../learners/deep/layers.ts';
import { networkInputs } from '../../learners/deep/params.ts';
import { importance, percentOf } from '../../../core/forecast/explanation.ts';
import type { LateFusionParams } from './index.ts';

const TEXT = 'text';

/** Taken from the score of a branch without a window: its weight is 0. */
const UNHEARD = 1e4;

/** The third modality, where it is not asked for: it is named and nothing stands in its place. */
const NO_TEXT: AbsentInput = { name: TEXT, reason: 'models.late-fusion.text names no features of texts' };

export const lateFusionArchitecture: Architecture<LateFusionParams> = {
  inputs(params, panel) {
    const branches = [...params.fine, ...params.coarse].map((timeframe) => ({
      ...branchOf(timeframe, panel, {
        lookBack: lookBackOf(timeframe, params),
        longerFeatures: isFiner(timeframe, panel) ? params.finerFeatures : params.longerFeatures,
        own: networkInputs(params),
      }),
      omittable: true as const,
      ...(panel.lengths.includes(timeframe) && { beside: true as const }),
    }));
    const absent = branches.flatMap(({ name, timeframe }) => {
      const reason = whyNot(timeframe, panel);
      return reason === undefined ? [] : [{ name, reason }];
    });
    const { text: features, textLookBack: lookBack } = params;
    // Where nothing was written the others answer alone.
    const given = { omittable: true, optional: true } as const;
    const text = { name: TEXT, timeframe: panel.timeframe, lookBack, features, ...given };
    return features.length === 0
      ? without({ branches, futureBars: 0 }, [...absent, NO_TEXT])
      : without({ branches: [...branches, text], futureBars: 0 }, absent);
  },
  head: directionHead,
  explain: (_, explanation) => {
    const named = (prefix: string) =>
      Object.entries(explanation).flatMap(([key, values]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), values] as const] : [],
      );
    return [
      importance(
        'weight of the branches',
        '%',
        named('weight.').map(([name, [weight]]) => [name, percentOf(weight)] as const),
      ),
      ...named('attention.').map(([name, weights]) =>
        attentionByLag(weights, `attention to the ${name} bars of the window`),
      ),
    ];
  },
  network: ({ fine, hidden, layers, dropout: rate }, { branches, outputs }) =>
    defineNetwork('late-fusion', (declare) => {
      const isFine = new Set<string>(fine);
      const readers = branches.map(({ name, features, optional }) => {
        const own = within(declare, `branch.${name}`);
        const sizes = { features, hidden, layers, rate };
        return {
          name,
          optional,
          read: isFine.has(name) ? fineReader(own, sizes) : coarseReader(own, sizes),
          score: dense(own, 'score', { inputs: hidden, outputs: 1 }),
          head: dense(own, 'head', { inputs: hidden, outputs }),
        };
      });

      return (pass, inputs) => {
        const read = readers.map(({ name, optional, read, score, head }) => {
          const { state, attention } = read(pass, toSteps(inputs[name]));
          const own = score(pass, state); // [rows, 1]
          const heard = optional
            ? tf.sub(own, tf.mul(UNHEARD, tf.sub(1, tf.expandDims(inputs[`has_${name}`], 1))))
            : own;
          return { name, attention, score: heard, answer: head(pass, state) };
        });
        const scores = tf.concat(
          read.map(({ score }) => score),
          1,
        );
        const weights = tf.softmax(scores); // [rows, branches]
        const answers = tf.stack(
          read.map(({ answer }) => answer),
          1,
        ); // [rows, branches, outputs]
        const mean = tf.mean(weights, 0);
        return {
          output: tf.sum(tf.mul(answers, tf.expandDims(weights, 2)), 1),
          explanation: Object.fromEntries(
            read.flatMap(({ name, attention }, b) => [
              [`weight.${name}`, tf.slice(mean, [b], [1])] as const,
              ...(attention ? [[`attention.${name}`, attention] as const] : []),
            ]),
          ),
        };
      };
    }),
};

const isFiner = (length: BarLength, { timeframe }: PanelShape): boolean =>
  shortestMs(length) < shortestMs(timeframe);

/** Why there are no bars of this length; `undefined` when they are stored or the panel's own make them up. */
function whyNot(length: BarLength, panel: PanelShape): string | undefined {
  if (panel.lengths.includes(length) || isMadeOf(length, panel.timeframe)) return undefined;
  if (isFiner(length, panel))
    return `finer than the ${panel.timeframe} bars of the data, and not stored for every symbol`;
  return `no multiple of the ${panel.timeframe} bars of the data, and not stored for every symbol`;
}

function lookBackOf(length: BarLength, params: LateFusionParams): number {
  switch (length) {
    case '1d':
      return params.dayLookBack;
    case '1w':
      return params.weekLookBack;
    case '1M':
      return params.monthLookBack;
    default:
      return params.lookBack;
  }
}

/** From the steps of one branch, [features, rows] each, to what it tells. */
type Reader = Layer<
  readonly Tensor[],
  {
    /** [rows, hidden] */
    readonly state: Tensor;
    /** [time], averaged over the rows */
    readonly attention?: Tensor;
  }
>;

interface ReaderSizes {
  readonly features: number;
  readonly hidden: number;
  readonly layers: number;
  readonly rate: number;
}

/** The last state of either direction. */
function fineReader(declare: Declare, { features, hidden, layers, rate }: ReaderSizes): Reader {
  const recurrent = Array.from({ length: layers }, (_, i) =>
    bidirectionalLstm(declare, `lstm.${i}`, { inputs: i === 0 ? features : 2 * hidden, hidden }),
  );
  const join = dense(declare, 'join', { inputs: 2 * hidden, outputs: hidden });
  return (pass, steps) => {
    let read = steps;
    for (const layer of recurrent) read = stepDropout(pass, layer(pass, read), rate);
    const [ahead] = tf.split(read[read.length - 1], 2, 0);
    const [, back] = tf.split(read[0], 2, 0);
    return { state: tf.relu(join(pass, tf.transpose(tf.concat([ahead, back], 0)))) };
  };
}

function coarseReader(declare: Declare, { features, hidden, layers, rate }: ReaderSizes): Reader {
  const recurrent = Array.from({ length: layers }, (_, i) =>
    gru(declare, `gru.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
  );
  const attend = attentionOverSteps(declare, { size: hidden, hidden });
  return (pass, steps) => {
    let read = steps;
    for (const layer of recurrent) read = stepDropout(pass, layer(pass, { steps: read }), rate);
    const { seen, weights } = attend(pass, read);
    return { state: seen, attention: tf.mean(weights, 0) };
  };
}
