import type { Environment } from './environment.ts';

const GRAVITY = 9.8;
const POLE_MASS = 0.1;
const TOTAL_MASS = 1 + POLE_MASS;
/** Half the pole. */
const LENGTH = 0.5;
const POLE_MASS_LENGTH = POLE_MASS * LENGTH;
const FORCE = 10;
const SECONDS = 0.02;
const X_LIMIT = 2.4;
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360;

/**
 * Balance a pole on a cart by pushing left (0) or right (1); reward 1 a step until it falls. Barto, Sutton &
 * Anderson 1983, as Gymnasium's CartPole-v1 (Euler integration, 500 steps).
 */
export function cartPole(): Environment {
  let x = 0;
  let speed = 0;
  let angle = 0;
  let turn = 0;
  let fell = false;
  const observe = (into: Float32Array, at: number): void => {
    into[at] = x;
    into[at + 1] = speed;
    into[at + 2] = angle;
    into[at + 3] = turn;
  };
  return {
    id: 'cart-pole',
    observation: ['x', 'speed', 'angle', 'angularSpeed'],
    actions: { kind: 'discrete', count: 2 },
    maxSteps: 500,
    get terminated() {
      return fell;
    },
    reset(random, into, at) {
      x = 0.1 * random() - 0.05;
      speed = 0.1 * random() - 0.05;
      angle = 0.1 * random() - 0.05;
      turn = 0.1 * random() - 0.05;
      fell = false;
      observe(into, at);
    },
    step(actions, actionAt, into, at) {
      const force = actions[actionAt] === 1 ? FORCE : -FORCE;
      const cosine = Math.cos(angle);
      const sine = Math.sin(angle);
      const push = (force + POLE_MASS_LENGTH * turn * turn * sine) / TOTAL_MASS;
      const turnChange =
        (GRAVITY * sine - cosine * push) / (LENGTH * (4 / 3 - (POLE_MASS * cosine * cosine) / TOTAL_MASS));
      const acceleration = push - (POLE_MASS_LENGTH * turnChange * cosine) / TOTAL_MASS;
      x += SECONDS * speed;
      speed += SECONDS * acceleration;
      angle += SECONDS * turn;
      turn += SECONDS * turnChange;
      fell = Math.abs(x) > X_LIMIT || Math.abs(angle) > ANGLE_LIMIT;
      observe(into, at);
      return 1;
    },
    snapshot: () => [x, speed, angle, turn],
    restore(state) {
      [x, speed, angle, turn] = state;
      fell = false;
    },
  };
}
