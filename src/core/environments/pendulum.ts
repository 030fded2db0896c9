import type { Environment } from './environment.ts';

const GRAVITY = 10;
const SECONDS = 0.05;
const MAX_SPEED = 8;
const MAX_TORQUE = 2;

/**
 * Swing a pendulum up and hold it there with a weak motor: torque in [-2, 2], reward -(angle² + 0.1 speed² +
 * 0.001 torque²). Gymnasium's Pendulum-v1 (mass and length 1, 200 steps); it never terminates.
 */
export function pendulum(): Environment {
  let angle = 0;
  let speed = 0;
  const observe = (into: Float32Array, at: number): void => {
    into[at] = Math.cos(angle);
    into[at + 1] = Math.sin(angle);
    into[at + 2] = speed;
  };
  return {
    id: 'pendulum',
    observation: ['cos', 'sin', 'speed'],
    actions: { kind: 'box', size: 1, low: -MAX_TORQUE, high: MAX_TORQUE },
    maxSteps: 200,
    terminated: false,
    reset(random, into, at) {
      angle = Math.PI * (2 * random() - 1);
      speed = 2 * random() - 1;
      observe(into, at);
    },
    step(actions, actionAt, into, at) {
      const torque = Math.min(MAX_TORQUE, Math.max(-MAX_TORQUE, actions[actionAt]));
      const off = wrap(angle);
      const reward = -(off * off + 0.1 * speed * speed + 0.001 * torque * torque);
      const faster = speed + (1.5 * GRAVITY * Math.sin(angle) + 3 * torque) * SECONDS;
      speed = Math.min(MAX_SPEED, Math.max(-MAX_SPEED, faster));
      angle += speed * SECONDS;
      observe(into, at);
      return reward;
    },
    snapshot: () => [angle, speed],
    restore(state) {
      [angle, speed] = state;
    },
  };
}

/** The angle in [-pi, pi). */
const wrap = (angle: number): number => angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));
