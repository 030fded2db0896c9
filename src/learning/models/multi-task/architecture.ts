import { dense } from '../../engine/layers/dense.ts';
import { gru } from '../../engine/layers/gru.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { zeros } from '../../engine/initializers.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import { importance, percentOf } from '../../../core/forecast/explanation.ts';
import { multiTaskHead, TASK_OUTPUTS, TASKS } from './head.ts';
import type { MultiTaskParams } from './index.ts';
import { DIRECTIONS, REGIMES } from './targets.ts';

export const multiTaskArchitecture: Architecture<MultiTaskParams> = {
  inputs: oneWindow,
  head: multiTaskHead,
  explain: ({ horizonBars, outlookBars }, { directions, regimes, volatility }) => {
    const odds = (names: readonly string[], shares: Float32Array) =>
      names.map((name, i) => [name, percentOf(shares[i])] as const);
    return [
      importance(`direction of the next ${horizonBars} bars`, '%', odds(DIRECTIONS, directions)),
      importance(`regime of the next ${outlookBars} bars`, '%', odds(REGIMES, regimes)),
      importance(`volatility of the next ${outlookBars} bars`, '% of the known one, median', [
        ['forecast', percentOf(Math.exp(volatility[0]))],
      ]),
    ];
  },
  network: ({ hidden, layers, dropout: rate }, { features, lookBack }) =>
    defineNetwork('multi-task', (declare) => {
      const recurrent = Array.from({ length: layers }, (_, i) =>
        gru(declare, `gru.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
      );
      const trunk = dense(declare, 'trunk', { inputs: hidden, outputs: hidden });
      const tasks = dense(declare, 'tasks', { inputs: hidden, outputs: TASK_OUTPUTS });
      const logVariances = declare('log_variances', [Object.keys(TASKS).length], zeros);

      return (pass, { observed }) => {
        let steps: readonly Tensor[] = toSteps(observed);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }), rate);
        const shared = tf.relu(trunk(pass, tf.transpose(steps[lookBack - 1]))); // [rows, hidden]
        const answers = tasks(pass, shared);
        const [direction, volatility, regime] = tf.split(answers, Object.values(TASKS), 1);
        // The same in every row: the loss reads them as it reads the answers.
        const weights = tf.add(tf.zeros([shared.shape[0], 1]), pass.value(logVariances)); // [rows, tasks]
        return {
          output: tf.concat([answers, weights], 1),
          explanation: {
            directions: tf.mean(tf.softmax(direction), 0),
            regimes: tf.mean(tf.softmax(regime), 0),
            volatility: tf.mean(volatility, 0),
          },
        };
      };
    }),
};
