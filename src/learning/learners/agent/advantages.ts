/**
 * Generalised advantage estimation (Schulman et al. 2016) over a rollout of `steps` steps of `count` environments,
 * laid out [steps, count]. `ended[t, i]` is 1 when the episode of environment i ended at step t, so that nothing of
 * a later one flows back; a truncated step's reward must already hold gamma times the value it was cut off from.
 * Writes `advantages` and `returns` (advantage plus value, the target of the critic).
 */
export function estimateAdvantages(
  rollout: {
    readonly rewards: Float32Array;
    readonly values: Float32Array;
    readonly ended: Uint8Array;
    /** [count]: values of the states after the last step. */
    readonly lastValues: Float32Array;
    readonly advantages: Float32Array;
    readonly returns: Float32Array;
  },
  { gamma, gaeLambda }: { readonly gamma: number; readonly gaeLambda: number },
): void {
  const { rewards, values, ended, lastValues, advantages, returns } = rollout;
  const count = lastValues.length;
  for (let i = 0; i < count; i++) {
    let nextValue = lastValues[i];
    let advantage = 0;
    for (let at = values.length - count + i; at >= 0; at -= count) {
      const goesOn = 1 - ended[at];
      const delta = rewards[at] + gamma * nextValue * goesOn - values[at];
      advantage = delta + gamma * gaeLambda * goesOn * advantage;
      advantages[at] = advantage;
      returns[at] = advantage + values[at];
      nextValue = values[at];
    }
  }
}
