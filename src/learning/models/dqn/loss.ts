/** Outputs of a network of action values, [rows, stride]. */
export interface QOutput {
  readonly output: Float32Array;
  readonly outputStride: number;
}

export interface QOptions {
  readonly rows: number;
  readonly actionCount: number;
  readonly dueling: boolean;
}

/**
 * The values of the best next actions, [rows]: `target` says what an action is worth, `choosing` which one it is
 * (the target network itself, or with double DQN the online one). Of equally good ones the first is taken.
 */
export function bestNextValues(
  target: QOutput,
  choosing: QOutput,
  { rows, actionCount, dueling }: QOptions,
  into: Float32Array,
): void {
  const first = dueling ? 1 : 0;
  for (let b = 0; b < rows; b++) {
    const ranked = b * choosing.outputStride + first;
    let best = 0;
    for (let k = 1; k < actionCount; k++)
      if (choosing.output[ranked + k] > choosing.output[ranked + best]) best = k;
    into[b] = valueOf(target, b, best, actionCount, dueling);
  }
}

/**
 * Gradient of the Huber loss of the temporal difference (Mnih et al. 2015), mean over the rows, with respect to the
 * online network's outputs; nothing flows into the targets. Returns the loss.
 */
export function qGradient(
  online: QOutput,
  /** Indices and targets, [rows]. */
  { actions, targets }: { readonly actions: Float32Array; readonly targets: Float32Array },
  { rows, actionCount, dueling }: QOptions,
  delta: Float32Array,
): number {
  let sum = 0;
  for (let b = 0; b < rows; b++) {
    const action = actions[b];
    const difference = valueOf(online, b, action, actionCount, dueling) - targets[b];
    const near = Math.min(Math.max(difference, -1), 1);
    sum += near * (difference - near / 2);
    const pull = near / rows;
    const at = b * online.outputStride;
    if (dueling) {
      delta[at] = pull;
      for (let k = 0; k < actionCount; k++)
        delta[at + 1 + k] = pull * ((k === action ? 1 : 0) - 1 / actionCount);
    } else for (let k = 0; k < actionCount; k++) delta[at + k] = k === action ? pull : 0;
  }
  return sum / rows;
}

/** With dueling heads: the state's value plus what the action is better than the mean of all (Wang et al. 2016, eq. 9). */
function valueOf(
  { output, outputStride }: QOutput,
  row: number,
  action: number,
  actionCount: number,
  dueling: boolean,
): number {
  const at = row * outputStride;
  if (!dueling) return output[at + action];
  let sum = 0;
  for (let k = 0; k < actionCount; k++) sum += output[at + 1 + k];
  return output[at] + output[at + 1 + action] - sum / actionCount;
}
