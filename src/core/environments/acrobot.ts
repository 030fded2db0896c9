import type { Environment } from './environment.ts';

const GRAVITY = 9.8;
const SECONDS = 0.2;
const MAX_SPEED_1 = 4 * Math.PI;
const MAX_SPEED_2 = 9 * Math.PI;
/** Distance of a link's centre of mass from its joint; masses, lengths and moments of inertia are 1. */
const CENTRE = 0.5;

/**
 * Swing the tip of a two-link arm above the bar with torque -1, 0 or 1 (action 0, 1, 2) on the middle joint;
 * reward -1 a step, 0 on reaching it. Sutton 1996, the book's dynamics, as Gymnasium's Acrobot-v1 (500 steps).
 */
export function acrobot(): Environment {
  let state: Arm = [0, 0, 0, 0];
  let reached = false;
  const observe = (into: Float32Array, at: number): void => {
    into[at] = Math.cos(state[0]);
    into[at + 1] = Math.sin(state[0]);
    into[at + 2] = Math.cos(state[1]);
    into[at + 3] = Math.sin(state[1]);
    into[at + 4] = state[2];
    into[at + 5] = state[3];
  };
  return {
    id: 'acrobot',
    observation: ['cos1', 'sin1', 'cos2', 'sin2', 'speed1', 'speed2'],
    actions: { kind: 'discrete', count: 3 },
    maxSteps: 500,
    get terminated() {
      return reached;
    },
    reset(random, into, at) {
      const draw = (): number => 0.2 * random() - 0.1;
      state = [draw(), draw(), draw(), draw()];
      reached = false;
      observe(into, at);
    },
    step(actions, actionAt, into, at) {
      const [a1, a2, s1, s2] = rungeKutta(state, actions[actionAt] - 1);
      state = [wrap(a1), wrap(a2), bound(s1, MAX_SPEED_1), bound(s2, MAX_SPEED_2)];
      reached = -Math.cos(state[0]) - Math.cos(state[1] + state[0]) > 1;
      observe(into, at);
      return reached ? 0 : -1;
    },
    snapshot: () => [...state],
    restore([a1, a2, s1, s2]) {
      state = [a1, a2, s1, s2];
      reached = false;
    },
  };
}

/** Angle of the first link from straight down, of the second from the first, and their speeds. */
type Arm = readonly [number, number, number, number];

function derivative([angle1, angle2, speed1, speed2]: Arm, torque: number): Arm {
  const cosine = Math.cos(angle2);
  const sine = Math.sin(angle2);
  const d1 = CENTRE ** 2 + (1 + CENTRE ** 2 + 2 * CENTRE * cosine) + 2;
  const d2 = CENTRE ** 2 + CENTRE * cosine + 1;
  const phi2 = CENTRE * GRAVITY * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -CENTRE * speed2 ** 2 * sine -
    2 * CENTRE * speed2 * speed1 * sine +
    (CENTRE + 1) * GRAVITY * Math.cos(angle1 - Math.PI / 2) +
    phi2;
  const change2 =
    (torque + (d2 / d1) * phi1 - CENTRE * speed1 ** 2 * sine - phi2) / (CENTRE ** 2 + 1 - d2 ** 2 / d1);
  const change1 = -(d2 * change2 + phi1) / d1;
  return [speed1, speed2, change1, change2];
}

/** One step of the classical fourth-order method. */
function rungeKutta(start: Arm, torque: number): Arm {
  const ahead = (slope: Arm, seconds: number): Arm => [
    start[0] + seconds * slope[0],
    start[1] + seconds * slope[1],
    start[2] + seconds * slope[2],
    start[3] + seconds * slope[3],
  ];
  const k1 = derivative(start, torque);
  const k2 = derivative(ahead(k1, SECONDS / 2), torque);
  const k3 = derivative(ahead(k2, SECONDS / 2), torque);
  const k4 = derivative(ahead(k3, SECONDS), torque);
  const mean = (i: 0 | 1 | 2 | 3): number => (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6;
  return ahead([mean(0), mean(1), mean(2), mean(3)], SECONDS);
}

function wrap(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

const bound = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));
