import { createRandom, deriveSeed } from '../src/core/foundation/random.ts';
import { createTpe } from '../src/lab/tuning/samplers/tpe.ts';
import { fill, drawn, type Params, type Space } from '../src/lab/tuning/space.ts';
import type { Trial } from '../src/lab/tuning/trial.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';
import { workerRows } from './tuning/workers.ts';

const PAST = 1000;

/** Four numbers and a choice, as a network's parameters are. */
const SPACE: Space = {
  rate: { kind: 'float', low: 1e-5, high: 1e-1, log: true },
  dropout: { kind: 'float', low: 0, high: 0.6 },
  layers: { kind: 'int', low: 1, high: 6 },
  hidden: { kind: 'int', low: 8, high: 256, log: true },
  cell: { kind: 'categorical', choices: ['lstm', 'gru', 'cnn'] },
};

const loss = ({ rate, dropout, layers }: Params): number =>
  (Math.log10(Number(rate)) + 3) ** 2 + Number(dropout) + Math.abs(Number(layers) - 3);

export async function run(): Promise<readonly BenchRow[]> {
  const random = createRandom(1);
  const past = Array.from({ length: PAST }, (_, number): Trial => {
    const params = fill(SPACE, (_name, dimension) => drawn(dimension, random));
    return { number, state: 'complete', params, values: [loss(params)], intermediate: [], violation: 0 };
  });
  const tpe = createTpe();
  let seed = 0;
  const ms = await medianMs(
    () => tpe.suggest(SPACE, past, { number: PAST, random: createRandom(deriveSeed(seed++, 'trial')) }),
    // Enough that it is compiled, as in a study of hundreds of trials.
    201,
  );
  const peers = runPeer('tuning_optuna.py');
  return [
    {
      name: `a trial of TPE after ${PAST} past trials, five parameters`,
      value: ms,
      unit: 'ms',
      target: '<= 2, 1/10 of Optuna',
      ...(peers
        ? { peer: { name: 'Optuna', value: peers['tpe1000'] } }
        : { note: 'no Python with Optuna here' }),
    },
    ...(await workerRows()),
  ];
}
