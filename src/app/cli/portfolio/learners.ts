import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { formatDay, formatTime } from '../../../core/foundation/time.ts';
import { blend } from '../../../lab/portfolio/blend.ts';
import type { PortfolioStrategy } from '../../../lab/portfolio/walk-forward.ts';
import {
  LEARNED_IDS,
  type LearnedId,
  LEARNER_DEFAULTS,
  type LearnerParams,
} from '../../../learning/allocators/params.ts';
import { type PortfolioMarket } from '../../workflows/portfolio.ts';
import { type CommandContext, integer, oneOf } from '../command.ts';
import { allocatorNamed, HYBRID, isLearned, marketOfOptions } from '../portfolio-options.ts';
import { MARKET_OPTIONS } from '../run-options.ts';
import { slippageOf } from './shared.ts';

export const TrainOptions = z.object({
  ...MARKET_OPTIONS,
  universe: z.string().optional(),
  allocator: z.string(),
  name: z.string().optional(),
  steps: z.string().optional(),
  resume: z.boolean().default(false),
});

/** Of an allocator itself, or of a checkpoint that `portfolio train` left. */
export async function trainedStrategy(
  context: CommandContext,
  source: PortfolioMarket,
  name: string,
  trained: string | undefined,
): Promise<PortfolioStrategy> {
  if (name !== HYBRID && !isLearned(name)) return allocatorNamed(name);
  // Networks take half a second to load.
  const { loadAllocator, openTrained } = await import('../../workflows/portfolio-training.ts');
  if (name === HYBRID) {
    const parts: PortfolioStrategy[] = [];
    const absent: string[] = [];
    for (const id of LEARNED_IDS)
      if ((await loadAllocator(context.config.checkpointDir, id)) === undefined) absent.push(id);
      else parts.push(await trainedStrategy(context, source, id, undefined));
    if (parts.length === 0)
      throw new UserError(
        `None of ${LEARNED_IDS.join(', ')} is trained, and "${HYBRID}" blends those that are.`,
        {
          hint: 'Train one: crypto-trader portfolio train --allocator deep',
        },
      );
    return blend(HYBRID, [...parts, allocatorNamed('min-variance')], absent);
  }
  const saved = await loadAllocator(context.config.checkpointDir, trained ?? name);
  if (saved === undefined)
    throw new UserError(`There is no trained allocator "${trained ?? name}".`, {
      hint: `Train it: crypto-trader portfolio train --allocator ${name}`,
    });
  if (saved.id !== name)
    throw new UserError(`The allocator "${trained ?? name}" is "${saved.id}", not "${name}".`, {
      hint: 'Name another with --allocator.',
    });
  const newest = source.market.time[source.market.time.length - 1];
  if (saved.trainedUntilMs > newest)
    throw new UserError(
      `The allocator "${trained ?? name}" has learned from days up to ${formatDay(saved.trainedUntilMs)}, and is asked about ${formatDay(newest)}.`,
      { hint: 'Train one with the same --until, or ask about a later day.' },
    );
  const symbols = source.members.map(({ symbol }) => symbol);
  if (saved.symbols.join() !== symbols.join())
    throw new UserError(`The allocator "${trained ?? name}" was trained on ${saved.symbols.join(', ')}.`, {
      hint: 'Ask for the same symbols in the same order, or train it on these.',
    });
  return openTrained(saved, source);
}

export const learnerParams = (id: LearnedId, steps: string | undefined, costRate: number): LearnerParams => ({
  ...LEARNER_DEFAULTS[id],
  ...(steps !== undefined && { steps: integer('--steps', steps, { least: 1 }) }),
  costRate,
});

export async function train(context: CommandContext, options: z.output<typeof TrainOptions>): Promise<void> {
  const { config, out, seed, signal, log } = context;
  const id = oneOf('--allocator', options.allocator, LEARNED_IDS);
  const name = options.name ?? id;
  const { requireAllocatorName, stepsOf, trainAllocator } =
    await import('../../workflows/portfolio-training.ts');
  requireAllocatorName(name);
  const source = await marketOfOptions(context, options);
  const costRate = (config.trading.feeBps + slippageOf(config)) / 10_000;
  const progress = out.progress();
  let bar: ReturnType<typeof progress.task> | undefined;
  const saved = await trainAllocator({
    checkpointDir: config.checkpointDir,
    name,
    id,
    source,
    params: learnerParams(id, options.steps, costRate),
    seed,
    resume: options.resume,
    signal,
    onStep: (done, total, loss) => {
      bar ??= progress.task(name, total);
      bar.update(done, `loss ${loss.toFixed(4)}`);
    },
  }).finally(() => progress.stop());
  const step = stepsOf(saved);
  log.info({ name, id, step }, 'portfolio train');
  out.print(
    `${name}: ${id}, ${step} steps on ${saved.symbols.length} assets up to ${formatDay(saved.trainedUntilMs)}. Its weights: portfolio optimise --strategy ${id}${name === id ? '' : ` --allocator ${name}`}`,
  );
  out.print(
    `What it is worth is not said by training: portfolio backtest --strategies ${id} teaches it again and again on the past alone.`,
  );
  out.document({
    name,
    allocator: id,
    steps: step,
    seed,
    symbols: saved.symbols,
    trainedUntil: formatTime(saved.trainedUntilMs),
    params: saved.params,
    weightHash: saved.weightHash,
    checkpoint: saved.folder,
    synthetic: source.synthetic,
  });
}
