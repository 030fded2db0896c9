import { createExecutor } from '../../engine/executor.ts';
import type { Network } from '../../engine/network.ts';
import { adam } from '../../engine/optimizers.ts';
import { createPass, type Program, unflatten } from '../../engine/program.ts';
import { tf } from '../../engine/tf.ts';
import { createTrainer } from '../../engine/trainer.ts';
import { parameterCount, parameterViews, type TrainState } from '../../engine/weights.ts';
import type { VectorEnvironment, VectorSnapshot } from '../../environments/vector.ts';
import { UserError } from '../../foundation/errors.ts';
import { createRandom, deriveSeed } from '../../foundation/random.ts';
import { bestAction } from '../agent/actions.ts';
import { rowMlp } from '../agent/mlp.ts';
import { createMultiStep, type MultiStepSnapshot } from './multi-step.ts';
import { Q, qLoss, qNetwork, qShape } from './network.ts';
import type { DqnParams } from './params.ts';
import { createReplay, type ReplaySnapshot } from './replay.ts';

/** Deep Q-learning of one agent in one vector of environments with discrete actions. */
export interface DqnLearner {
  /** Environment steps so far, all copies together. */
  readonly steps: number;
  /** `trainFreq` steps of every environment, then, after `learningStarts`, `gradientSteps` updates. */
  iterate(): Promise<DqnProgress>;
  /** The weights of the online network, flat: what acts. */
  parameters(): Float32Array;
  /** All that a resumed run needs to go on bit for bit. */
  state(): DqnState;
  restore(state: DqnState): void;
  dispose(): Promise<void>;
}

export interface DqnProgress {
  readonly steps: number;
  /** Mean return of the last 100 episodes; `undefined` before the first has ended. */
  readonly meanReward: number | undefined;
  /** Mean over the updates of this call; `undefined` when there were none. */
  readonly loss: number | undefined;
  readonly exploration: number;
}

export interface DqnState {
  readonly train: TrainState;
  readonly target: Float32Array;
  readonly iterations: number;
  readonly recent: readonly number[];
  readonly replay: ReplaySnapshot;
  readonly multiStep: MultiStepSnapshot;
  readonly environment: VectorSnapshot;
}

const LONGEST_UNROLL = 16;
const EPISODES_REMEMBERED = 100;

/** `totalSteps` sets the pace at which exploration falls. Throws `UserError` for continuous actions. */
export async function createDqn(options: {
  readonly environment: VectorEnvironment;
  readonly params: DqnParams;
  readonly seed: number;
  readonly totalSteps: number;
}): Promise<DqnLearner> {
  const { environment, params, seed, totalSteps } = options;
  const { batchSize, trainFreq, gradientSteps, learningStarts, tau } = params;
  const { count, actions: space } = environment;
  if (space.kind !== 'discrete') {
    throw new UserError(`DQN chooses among actions; "${environment.id}" takes continuous ones.`, {
      hint: 'Use PPO there.',
    });
  }
  const size = environment.observation.length;
  const network = qNetwork(size, space.count, params);
  let unroll = Math.min(LONGEST_UNROLL, gradientSteps);
  while (gradientSteps % unroll !== 0) unroll--;
  const rows = unroll * batchSize;
  const float = (width: number) => ({ shape: [batchSize, width], type: 'float32' }) as const;
  const trainer = await createTrainer({
    network,
    loss: (pass, { observations, actions, nextValues, nextObservations, facts }) => {
      const [rewards, discounts] = tf.split(facts, 2, 1);
      const choosing = params.doubleQ ? network.forward(pass, nextObservations) : nextValues;
      const values = network.forward(pass, observations);
      return qLoss({ values, actions, nextValues, choosing, rewards, discounts });
    },
    optimizer: adam(),
    batch: {
      observations: float(size),
      actions: float(space.count),
      nextValues: float(space.count),
      ...(params.doubleQ && { nextObservations: float(size) }),
      facts: float(2),
    },
    seed,
    unroll,
    clipNorm: params.maxGradNorm,
  });
  const judge = await createExecutor(valueProgram(network, rows, size));
  const online = rowMlp(Q, qShape(size, space.count, params));
  const advantagesFrom = params.dueling ? 1 : 0;
  const replay = createReplay(Math.min(params.bufferSize, totalSteps), size, space.count);
  const multiStep = createMultiStep(environment, params, replay);
  const feeds = {
    observations: new Float32Array(rows * size),
    actions: new Float32Array(rows * space.count),
    nextValues: new Float32Array(rows * space.count),
    nextObservations: new Float32Array(rows * size),
    facts: new Float32Array(rows * 2),
  };
  const target = trainer.parameters();
  const parameters = trainer.parameters();
  const chosen = new Float32Array(count);
  const targetEvery = Math.max(Math.floor(params.targetUpdateInterval / count), 1);
  let iterations = 0;
  let recent: number[] = [];

  const takeWeights = (): void => {
    parameters.set(trainer.parameters());
    online.load(parameterViews(network.parameters, parameters));
  };
  takeWeights();

  const explorationAt = (step: number): number => {
    const { explorationFraction, explorationInitialEps: first, explorationFinalEps: last } = params;
    const done = explorationFraction === 0 ? 1 : Math.min(1, step / totalSteps / explorationFraction);
    return first + done * (last - first);
  };

  const play = (): void => {
    environment.reseed(deriveSeed(seed, `episodes.${iterations}`));
    const random = createRandom(deriveSeed(seed, `actions.${iterations}`));
    if (iterations === 0) environment.resetAll();
    for (let t = 0; t < trainFreq; t++) {
      const calls = iterations * trainFreq + t;
      const exploration = calls * count < learningStarts ? 1 : explorationAt(calls * count);
      for (let i = 0; i < count; i++) {
        if (random() < exploration) chosen[i] = Math.floor(random() * space.count);
        else {
          const said = online.run(environment.observations, i * size);
          bestAction(space, said.subarray(advantagesFrom), chosen, i);
        }
      }
      multiStep.step(chosen);
      if ((calls + 1) % targetEvery === 0)
        for (let k = 0; k < target.length; k++) target[k] += tau * (parameters[k] - target[k]);
    }
    recent.push(...environment.finished.splice(0).map(({ reward }) => reward));
    recent = recent.slice(-EPISODES_REMEMBERED);
  };

  const learn = async (): Promise<number> => {
    const random = createRandom(deriveSeed(seed, `minibatches.${iterations}`));
    let total = 0;
    for (let done = 0; done < gradientSteps; done += unroll) {
      replay.sample(random, rows, feeds, 0);
      await judge.run(
        { parameters: target, observations: feeds.nextObservations },
        { values: feeds.nextValues },
        () => new Float32Array(),
      );
      const { losses } = await trainer.step(feeds, params.learningRate);
      for (const loss of losses) total += loss;
    }
    takeWeights();
    return total / gradientSteps;
  };

  const stepsDone = (): number => iterations * trainFreq * count;
  return {
    get steps() {
      return stepsDone();
    },
    async iterate() {
      play();
      const ready = stepsDone() + trainFreq * count > learningStarts && replay.count > 0;
      const loss = ready ? await learn() : undefined;
      iterations++;
      const mean = recent.reduce((sum, reward) => sum + reward, 0) / recent.length;
      return {
        steps: stepsDone(),
        meanReward: recent.length === 0 ? undefined : mean,
        loss,
        exploration: explorationAt(stepsDone()),
      };
    },
    parameters: () => trainer.parameters(),
    state: () => ({
      train: trainer.state(),
      target: target.slice(),
      iterations,
      recent: [...recent],
      replay: replay.snapshot(),
      multiStep: multiStep.snapshot(),
      environment: environment.snapshot(),
    }),
    restore(state) {
      trainer.restore(state.train);
      takeWeights();
      target.set(state.target);
      iterations = state.iterations;
      recent = [...state.recent];
      replay.restore(state.replay);
      multiStep.restore(state.multiStep);
      environment.restore(state.environment);
    },
    async dispose() {
      await trainer.dispose();
      await judge.release();
    },
  };
}

/** The network over many states at once, with the parameters as an input: what the target network says. */
function valueProgram(network: Network, rows: number, size: number): Program {
  return {
    name: `${network.name} values`,
    build(inputs) {
      const flat = inputs.input('parameters', [parameterCount(network.parameters)], 'float32');
      const observations = inputs.input('observations', [rows, size], 'float32');
      const values = unflatten(network.parameters, flat);
      const pass = createPass(inputs, { training: false, values, rows, firstRow: 0, stepOffset: 0 });
      return { values: network.forward(pass, observations) };
    },
  };
}
