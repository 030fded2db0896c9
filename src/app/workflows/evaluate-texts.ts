import { z } from 'zod';
import { ExplanationPart } from '../../core/forecast/explanation.ts';
import { formatTime } from '../../core/foundation/time.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { RunStep } from './demo.ts';

export interface TextEvaluationRequest {
  readonly timeframe: Timeframe;
  /** Bars of other lengths that are fetched to stand beside. */
  readonly beside: readonly Timeframe[];
  /** Nothing is fetched: what is stored is scored and tried. */
  readonly stored: boolean;
  readonly scorer: string;
  /** Of texts, for the branch of their own. */
  readonly features: readonly string[];
  readonly folds: number;
  readonly strategy: string;
  readonly nowMs: number;
  /** For every step: settings file and settings. */
  readonly globals: readonly string[];
}

const Interval = z.object({ low: z.number(), high: z.number() });
const Diff = z.object({
  a: z.string(),
  b: z.string(),
  earned: z
    .object({
      bars: z.number(),
      returnPctPerYear: z.number(),
      returnInterval: Interval.optional(),
      sharpe: z.number().optional(),
      sharpeInterval: Interval.optional(),
    })
    .nullable(),
});
const Shown = z.object({
  checkpoint: z.object({
    absent: z.array(z.object({ name: z.string(), reason: z.string() })).default([]),
    explanation: z.array(ExplanationPart).default([]),
  }),
});

/** What the late-fusion network makes of texts beside candles. */
export interface TextEvaluation {
  /** Share of each branch in the answer, in percent, over the validation bars. */
  readonly branches: readonly { readonly name: string; readonly weightPct: number }[];
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** Kept backtests without and with texts. */
  readonly without: string;
  readonly with: string;
  readonly earned: NonNullable<z.output<typeof Diff>['earned']> | undefined;
}

/**
 * Candles, series and texts of every source that is ready, scores of what is new, the late-fusion network with all of its
 * branches, and the same network refitted before every fold without and with texts, on the same bars. A source that
 * does not answer costs the others nothing. Each step is a command that can be run alone.
 */
export async function evaluateTexts(request: TextEvaluationRequest, step: RunStep): Promise<TextEvaluation> {
  const then = (...args: string[]): Promise<string> => step([...args, ...request.globals]);
  const { timeframe, beside, folds, strategy } = request;
  if (!request.stored) {
    for (const one of [timeframe, ...beside]) await then('fetch', '--timeframe', one);
    // Each says by itself who did not answer.
    const some = (...args: string[]): Promise<string> => step([...args, ...request.globals], () => true);
    await some('fetch', '--series', 'all');
    await some('text', 'fetch');
  }
  await then('text', 'score', '--stored', '--scorer', request.scorer);
  const heard = (names: readonly string[]): string[] => [
    ...['--set', `features.textScorer=${request.scorer}`],
    ...['--set', `models.late-fusion.text=[${names.join(',')}]`],
  ];
  const run = `texts-${formatTime(request.nowMs).slice(0, 19).replaceAll(':', '-')}Z`;
  await then('train', '--models', 'late-fusion', '--name', run, ...heard(request.features));
  const shown = await then('models', 'show', 'late-fusion', '--run', run, '--json');
  const { checkpoint } = Shown.parse(JSON.parse(shown));
  const backtest = ['backtest', '--walk-forward', '--models', 'late-fusion', '--strategy', strategy];
  await then(...backtest, '--folds', String(folds), ...heard([]));
  await then(...backtest, '--folds', String(folds), ...heard(request.features));
  const { a, b, earned } = Diff.parse(JSON.parse(await then('backtest', 'diff', '--json')));
  const branches = checkpoint.explanation.flatMap((part) =>
    part.kind === 'importance' ? part.names.map((name, i) => ({ name, weightPct: part.values[i] })) : [],
  );
  return { branches, absent: checkpoint.absent, without: a, with: b, earned: earned ?? undefined };
}
