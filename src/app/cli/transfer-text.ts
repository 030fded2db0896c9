import { z } from 'zod';
import type { FinishedRun } from '../../learning/training/train.ts';
import type { Output } from './output.ts';
import { less } from './table.ts';

const Losses = z.object({
  /** Absent in runs of earlier versions. */
  lossUntrained: z.number().optional(),
  lossBefore: z.number(),
  lossAfter: z.number(),
  windows: z.number(),
});
const Report = z.object({
  transfer: z.object({
    regimes: z.record(z.string(), Losses),
    validation: Losses,
    backwardTransfer: z.number(),
    forwardTransfer: z.number().optional(),
  }),
});

/** What going on from another run has done to what its networks knew of each market regime; nothing where none did. */
export function printTransfer(out: Output, { members }: Pick<FinishedRun, 'members'>): void {
  const found = members.flatMap(({ id, fitted }) => {
    const report = Report.safeParse(fitted.report);
    return report.success ? [{ id, ...report.data.transfer }] : [];
  });
  if (found.length === 0) return;
  out.print(
    '\nLosses of bars that were known before, by market regime, and of those that validate, which are new:\n',
  );
  out.table(
    ['model', 'bars', less('windows', 1), less('untrained', 2), 'before', 'after'],
    found.flatMap(({ id, regimes, validation }) =>
      [...Object.entries(regimes), ['validation', validation] as const].map(([name, one]) => [
        id,
        name,
        String(one.windows),
        one.lossUntrained?.toFixed(4) ?? '-',
        one.lossBefore.toFixed(4),
        one.lossAfter.toFixed(4),
      ]),
    ),
  );
  for (const { id, backwardTransfer, forwardTransfer } of found) {
    out.print(
      `${id}: the loss of known regimes has ${backwardTransfer >= 0 ? 'fallen' : 'risen'} by ${Math.abs(backwardTransfer).toFixed(4)} on average (backward transfer ${backwardTransfer.toFixed(4)}).`,
    );
    if (forwardTransfer !== undefined)
      out.print(
        `${id}: before it learned them, the new bars' loss was ${Math.abs(forwardTransfer).toFixed(4)} ${forwardTransfer >= 0 ? 'lower' : 'higher'} than that of a network that knows nothing (forward transfer ${forwardTransfer.toFixed(4)}).`,
      );
  }
}
