import { z } from 'zod';
import type { FinishedRun } from '../../learning/training/train.ts';
import type { Output } from './output.ts';
import { less } from './table.ts';

const Losses = z.object({ lossBefore: z.number(), lossAfter: z.number(), windows: z.number() });
const Report = z.object({
  transfer: z.object({
    regimes: z.record(z.string(), Losses),
    validation: Losses,
    backwardTransfer: z.number(),
  }),
});

/** What going on from another run has done to what its networks knew of each market regime; nothing where none did. */
export function printTransfer(out: Output, { members }: Pick<FinishedRun, 'members'>): void {
  const found = members.flatMap(({ id, fitted }) => {
    const report = Report.safeParse(fitted.report);
    return report.success ? [{ id, ...report.data.transfer }] : [];
  });
  if (found.length === 0) return;
  out.print('\nBars that were known before, by market regime, and those that validate:\n');
  out.table(
    ['model', 'bars', less('windows', 1), 'loss before', 'after'],
    found.flatMap(({ id, regimes, validation }) =>
      [...Object.entries(regimes), ['validation', validation] as const].map(([name, one]) => [
        id,
        name,
        String(one.windows),
        one.lossBefore.toFixed(4),
        one.lossAfter.toFixed(4),
      ]),
    ),
  );
  for (const { id, backwardTransfer } of found)
    out.print(
      `${id}: the loss of known regimes has ${backwardTransfer >= 0 ? 'fallen' : 'risen'} by ${Math.abs(backwardTransfer).toFixed(4)} on average (backward transfer ${backwardTransfer.toFixed(4)}).`,
    );
}
