import { type Tensor, tf } from '../engine/tf.ts';

/**
 * Minus the Sharpe ratio a bar of weights [bars, assets] in consecutive bars, net of `costRate` for each unit of turnover
 * (Zhang, Zohren and Roberts 2020, Deep learning for portfolio optimization). `returns` [bars, assets] are those of the bar after
 * each row; before the first row every asset has the same weight.
 */
export function netSharpeLoss(weights: Tensor, returns: Tensor, costRate: number): Tensor {
  const [bars, assets] = weights.shape;
  const start = tf.fill([1, assets], 1 / assets);
  const before = bars === 1 ? start : tf.concat([start, tf.slice(weights, [0, 0], [bars - 1, assets])], 0);
  const turnover = tf.sum(tf.abs(tf.sub(weights, before)), 1);
  const gains = tf.sub(tf.sum(tf.mul(weights, returns), 1), tf.mul(turnover, costRate));
  const mean = tf.mean(gains);
  const variance = tf.mean(tf.square(tf.sub(gains, mean)));
  return tf.neg(tf.div(mean, tf.sqrt(tf.add(variance, 1e-12))));
}

/**
 * Minus the mean logarithmic growth of weights [bars, 1 + assets], cash first, in consecutive bars. `relatives` [bars, 1 + assets] are next
 * prices over prices; `previous` [1, 1 + assets] was held before the first row. What trading leaves is taken as
 * 1 - c |change of the risky weights from what drift made of them|: within c^2 of the fixed point of Jiang, Xu and Liang 2017, equation 14, and it has a
 * gradient everywhere.
 */
export function growthLoss(
  weights: Tensor,
  relatives: Tensor,
  previous: Tensor,
  drift: Tensor,
  costRate: number,
): Tensor {
  const [bars, columns] = weights.shape;
  // `drift` holds the relatives of the bar that ended at each row: what moved the weights held until then.
  const before =
    bars === 1 ? previous : tf.concat([previous, tf.slice(weights, [0, 0], [bars - 1, columns])], 0);
  const grown = tf.mul(before, drift);
  const drifted = tf.div(grown, tf.sum(grown, 1, true));
  const risky = (x: Tensor): Tensor => tf.slice(x, [0, 1], [bars, columns - 1]);
  const turnover = tf.sum(tf.abs(tf.sub(risky(weights), risky(drifted))), 1);
  const left = tf.sub(1, tf.mul(turnover, costRate));
  return tf.neg(tf.mean(tf.log(tf.mul(left, tf.sum(tf.mul(weights, relatives), 1)))));
}
