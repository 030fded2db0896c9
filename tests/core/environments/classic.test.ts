import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { acrobot } from '../../../src/core/environments/acrobot.ts';
import { cartPole } from '../../../src/core/environments/cart-pole.ts';
import type { Environment } from '../../../src/core/environments/environment.ts';
import { identity } from '../../../src/core/environments/identity.ts';
import { pendulum } from '../../../src/core/environments/pendulum.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';

const golden = new URL('../../golden/stats/misc.json', import.meta.url);
const Golden = z.object({
  cartpole_traj_actions_10110: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
  cartpole_const1_len: z.number(),
});

const kinds: readonly (() => Environment)[] = [
  cartPole,
  pendulum,
  acrobot,
  () => identity('discrete'),
  () => identity('box'),
];

describe('CartPole against Gymnasium', () => {
  const expected = (): z.output<typeof Golden> => Golden.parse(JSON.parse(readFileSync(golden, 'utf8')));

  it('follows the reference trajectory', () => {
    const trajectory = expected().cartpole_traj_actions_10110;
    const environment = cartPole();
    environment.restore(trajectory[0]);
    for (const [t, action] of [1, 0, 1, 1, 0].entries()) {
      environment.step(Float32Array.of(action), 0, new Float32Array(4), 0);
      environment.snapshot().forEach((value, k) => expect(value).toBeCloseTo(trajectory[t + 1][k], 12));
    }
  });

  it('falls after the reference number of pushes to the right', () => {
    const { cartpole_traj_actions_10110: trajectory, cartpole_const1_len: length } = expected();
    const environment = cartPole();
    environment.restore(trajectory[0]);
    let steps = 0;
    while (!environment.terminated) {
      environment.step(Float32Array.of(1), 0, new Float32Array(4), 0);
      steps++;
    }
    expect(steps).toBe(length);
  });
});

describe('Pendulum', () => {
  it('pays minus angle², speed² / 10 and torque² / 1000 and moves by the equation of motion', () => {
    const environment = pendulum();
    environment.restore([Math.PI / 2, 1]);
    const seen = new Float32Array(3);
    const reward = environment.step(Float32Array.of(2), 0, seen, 0);
    expect(reward).toBeCloseTo(-((Math.PI / 2) ** 2 + 0.1 + 0.004), 12);
    // Speed 1 + (15 sin(pi/2) + 3 * 2) * 0.05 = 2.05, angle pi/2 + 2.05 * 0.05.
    const [angle, speed] = environment.snapshot();
    expect(speed).toBeCloseTo(2.05, 12);
    expect(angle).toBeCloseTo(Math.PI / 2 + 0.1025, 12);
    expect([...seen]).toEqual([Math.cos(angle), Math.sin(angle), speed].map(Math.fround));
  });

  it('counts angles from the top, so that a full turn costs nothing', () => {
    const environment = pendulum();
    environment.restore([2 * Math.PI, 0]);
    expect(environment.step(Float32Array.of(0), 0, new Float32Array(3), 0)).toBeCloseTo(0, 12);
  });
});

describe('Acrobot', () => {
  it('hangs still without torque', () => {
    const environment = acrobot();
    environment.restore([0, 0, 0, 0]);
    for (let t = 0; t < 20; t++) environment.step(Float32Array.of(1), 0, new Float32Array(6), 0);
    environment.snapshot().forEach((value) => expect(value).toBeCloseTo(0, 12));
    expect(environment.terminated).toBe(false);
  });

  it('keeps its energy without torque', () => {
    const environment = acrobot();
    environment.restore([0.4, -0.3, 0.2, 0.1]);
    const before = acrobotEnergy(environment.snapshot());
    for (let t = 0; t < 10; t++) environment.step(Float32Array.of(1), 0, new Float32Array(6), 0);
    expect(acrobotEnergy(environment.snapshot())).toBeCloseTo(before, 2);
  });

  it('ends with reward 0 when the tip is above the bar', () => {
    const environment = acrobot();
    environment.restore([Math.PI, 0, 0, 0]);
    expect(environment.step(Float32Array.of(1), 0, new Float32Array(6), 0)).toBe(0);
    expect(environment.terminated).toBe(true);
  });
});

describe.each(kinds.map((make) => [make().id, make] as const))('%s', (_, make) => {
  const play = (environment: Environment, steps: number): number[] => {
    const { actions } = environment;
    const random = createRandom(3);
    const seen = new Float32Array(environment.observation.length);
    const numbers: number[] = [];
    for (let t = 0; t < steps; t++) {
      const action =
        actions.kind === 'discrete'
          ? Math.floor(random() * actions.count)
          : actions.low + random() * (actions.high - actions.low);
      numbers.push(environment.step(Float32Array.of(action), 0, seen, 0), ...seen);
    }
    return numbers;
  };

  it('continues from a snapshot bit for bit', () => {
    const environment = make();
    environment.reset(createRandom(1), new Float32Array(environment.observation.length), 0);
    play(environment, 3);
    const other = make();
    other.restore(environment.snapshot());
    expect(play(other, 5)).toEqual(play(environment, 5));
  });

  it('starts differently with other random numbers', () => {
    const first = (seed: number): number[] => {
      const environment = make();
      environment.reset(createRandom(seed), new Float32Array(environment.observation.length), 0);
      return play(environment, 10);
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });
});

/** Kinetic plus potential energy of two unit rods, each with moment of inertia 1 about its centre. */
function acrobotEnergy([angle1, angle2, speed1, speed2]: readonly number[]): number {
  const both = speed1 + speed2;
  const kinetic =
    0.5 * (0.25 + 1) * speed1 ** 2 +
    0.5 * (speed1 ** 2 + 0.25 * both ** 2 + speed1 * both * Math.cos(angle2)) +
    0.5 * both ** 2;
  return kinetic - 9.8 * (1.5 * Math.cos(angle1) + 0.5 * Math.cos(angle1 + angle2));
}
