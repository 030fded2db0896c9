import { expect, it } from 'vitest';
import { showProgress } from '../../../src/app/cli/training-progress.ts';
import type { TrainingEvent } from '../../../src/learning/training/journal.ts';

it('says how a model goes step by step, and its last step once, with the time it took', () => {
  const lines: string[] = [];
  const show = showProgress((label, total) => ({
    update: (done, note, etaSeconds) => lines.push([`${label} ${done}/${total}`, note, etaSeconds].join(' ')),
  }));
  const of = { model: 'ppo', phase: 'agent' } as const;
  const figures = { bestAtStep: 4096, entropy: 1.23456 };
  const score = { horizonBars: 1, samples: 0, netReturnPct: 0, fills: 0, feeBps: 0, slippageBps: 0 };
  const events: readonly TrainingEvent[] = [
    { kind: 'progress', ...of, step: 0, steps: 2, etaSeconds: 2 },
    { kind: 'progress', ...of, step: 1, steps: 2, loss: 0.5, etaSeconds: 1.2 },
    { kind: 'progress', ...of, step: 2, steps: 2, loss: 0.25, etaSeconds: 0, figures },
    { kind: 'model-finished', ...of, seconds: 3, metrics: score },
  ];
  for (const event of events) show(event);
  expect(lines).toEqual([
    'ppo 0/2  2',
    'ppo 1/2 loss 0.5000 1.2',
    'ppo 2/2 done in 3.0 s, loss 0.2500, bestAtStep 4096, entropy 1.23 ',
  ]);
});
