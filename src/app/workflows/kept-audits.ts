import { join } from 'node:path';
import { z } from 'zod';
import type { Finding } from '../../lab/audit/finding.ts';
import { readSealed, writeSealed } from '../../learning/training/sealed-json.ts';

const Audit = z.object({
  version: z.literal(1),
  runId: z.string(),
  time: z.iso.datetime(),
  strategy: z.string(),
  /** Hash of the weights of each model that was audited. */
  weights: z.record(z.string(), z.string()),
  findings: z.array(
    z.object({
      check: z.string(),
      verdict: z.enum(['passed', 'failed', 'warned', 'skipped']),
      figure: z.string().optional(),
      text: z.string(),
    }),
  ),
});
export type KeptAudit = z.output<typeof Audit>;

const pathOf = (dataDir: string, runId: string): string => join(dataDir, 'audits', `${runId}.json`);

/** Keeps the newest whole audit of a training run, for the backtests of it. */
export const keepAudit = async (
  dataDir: string,
  audit: Omit<KeptAudit, 'version' | 'findings'> & { readonly findings: readonly Finding[] },
): Promise<void> => {
  await writeSealed(pathOf(dataDir, audit.runId), { version: 1, ...audit });
};

/** The audit of a run, if every model named in `weights` was audited with these weights. */
export async function auditOf(
  dataDir: string,
  runId: string,
  weights: Readonly<Record<string, unknown>>,
): Promise<KeptAudit | undefined> {
  const kept = (await readSealed(pathOf(dataDir, runId), Audit))?.value;
  const models = Object.entries(weights).filter(([, hash]) => typeof hash === 'string');
  return kept !== undefined && models.every(([id, hash]) => kept.weights[id] === hash) ? kept : undefined;
}
