import { clipByNorm, globalNorm, type Optimizer } from '../../engine/optimizers.ts';
import { tf } from '../../engine/tf.ts';
import type { TrainState } from '../../engine/weights.ts';

/** Where each parameter is held, and how firmly: beside the parameters, flat. */
export interface Anchor {
  readonly anchor: Float32Array;
  readonly importance: Float32Array;
}

const [ANCHOR, IMPORTANCE, PATH] = ['anchor', 'importance', 'path'] as const;

/**
 * The optimiser with a spring on every parameter: the gradient of strength / 2 x sum of importance (parameter - anchor)^2 is
 * added, and the whole is clipped, without which a firm spring runs away (Kirkpatrick et al. 2017, eq. 3). It also keeps how
 * much each parameter has lowered the loss on its way, -sum of gradient x change (Zenke, Poole & Ganguli 2017, eq. 3). Both
 * are slots: a snapshot holds them, and `consolidated` makes of them what the next task is held by.
 */
export function elastic(
  inner: Optimizer,
  { strength, clipNorm }: { readonly strength: number; readonly clipNorm?: number },
): Optimizer {
  return {
    name: `elastic ${inner.name}`,
    slots: [...inner.slots, ANCHOR, IMPORTANCE, PATH],
    controls: (step, learningRate) => inner.controls(step, learningRate),
    controlCount: inner.controlCount,
    update({ parameters, gradient, slots, controls }) {
      const own = slots.slice(0, inner.slots.length);
      const [anchor, importance, path] = slots.slice(inner.slots.length);
      const pull = tf.mul(tf.mul(importance, strength), tf.sub(parameters, anchor));
      const total = tf.add(gradient, pull);
      const clipped = clipNorm === undefined ? total : clipByNorm(total, globalNorm(total), clipNorm);
      const updated = inner.update({ parameters, gradient: clipped, slots: own, controls });
      const gained = tf.mul(gradient, tf.sub(parameters, updated.parameters));
      // Handed through as they are; an output must be computed.
      const kept = [anchor, importance].map((slot) => tf.add(slot, 0));
      return { parameters: updated.parameters, slots: [...updated.slots, ...kept, tf.add(path, gained)] };
    },
  };
}

/** The state with this anchor, the optimiser's own memory and the path empty: where the next task begins. */
export function anchoredAt(state: TrainState, { anchor, importance }: Anchor): TrainState {
  const empty = Object.entries(state.slots).map(
    ([name, { length }]) => [name, new Float32Array(length)] as const,
  );
  return { ...state, slots: { ...Object.fromEntries(empty), [ANCHOR]: anchor, [IMPORTANCE]: importance } };
}

export const anchorOf = ({ slots }: TrainState): Anchor => ({
  anchor: slots[ANCHOR],
  importance: slots[IMPORTANCE],
});

/**
 * Springs of one task more. Several springs on one parameter are one: importances add up, and the anchor is their mean by
 * importance, so that a term for every task (EWC) costs no more than one. With `decay` below 1 earlier ones fade and the
 * anchor is where training stands now: online EWC (Schwarz et al. 2018).
 */
export function withTask(
  before: Anchor,
  parameters: Float32Array,
  fisher: Float32Array,
  { decay }: { readonly decay?: number } = {},
): Anchor {
  const importance = fisher.map((own, i) => own + (decay ?? 1) * before.importance[i]);
  if (decay !== undefined) return { anchor: Float32Array.from(parameters), importance };
  const anchor = parameters.map((value, i) => {
    const [old, own] = [before.importance[i], fisher[i]];
    return old + own > 0 ? (old * before.anchor[i] + own * value) / (old + own) : value;
  });
  return { anchor, importance };
}

/**
 * Synaptic Intelligence at the end of a task: what each parameter has gained, over the square of the way that it went
 * (Zenke et al. 2017, eq. 5), is added to its importance. `start`: the parameters when the task began.
 */
export function withPath(state: TrainState, start: Float32Array, damping = 0.1): Anchor {
  const { parameters, slots } = state;
  const importance = parameters.map((value, i) => {
    const gained = Math.max(0, slots[PATH][i]);
    return slots[IMPORTANCE][i] + gained / ((value - start[i]) ** 2 + damping);
  });
  return { anchor: Float32Array.from(parameters), importance };
}

export const noAnchor = (parameters: Float32Array): Anchor => ({
  anchor: Float32Array.from(parameters),
  importance: new Float32Array(parameters.length),
});
