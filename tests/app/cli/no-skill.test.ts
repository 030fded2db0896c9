import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { seal, unseal } from '../../../src/learning/training/sealed-json.ts';
import { walkStore } from '../../learning/training/runs.ts';
import { runCli } from '../../support/cli.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** A penalty that leaves the intercept alone: the logistic model states one probability, the share of ups. */
const CONFIG = `
market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }
models: { logistic: { penalty: 1e15 } }
`;
let cwd: string;
const run = async (...args: readonly string[]) => {
  const { stdout, stderr, status } = await runCli(args, { cwd });
  expect({ stderr: status === 0 ? '' : stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
};
const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse(await run(...args, '--json'));

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'no-skill-'));
  writeFileSync(join(cwd, 'config.yaml'), CONFIG);
  await walkStore(cwd);
});
afterAll(() => rmSync(cwd, { recursive: true }));

it('a model that learned one class is marked by every command, and has no vote', async () => {
  const trained = await run('train', '--name', 'one', '--models', 'logistic,ridge');
  expect(trained).toMatch(/^logistic \*? *no skill/m);
  expect(trained).toMatch(/^ridge \*? *trained/m);
  expect(trained).toMatch(/^ensemble \*? *1 member /m);
  expect(trained).toContain('logistic has no skill: it states one and the same probability on all');
  expect(await run('models')).toMatch(/^one +active .* 2 \(1 no skill\) /m);
  expect(await run('models', 'show', 'logistic')).toContain('it does not vote in the ensemble');

  const { signals } = z
    .object({ signals: z.array(z.looseObject({ model: z.string(), noSkill: z.string().optional() })) })
    .parse(await json('signals'));
  const of = (wanted: string) =>
    signals.flatMap(({ model, noSkill: _, ...rest }) => (model === wanted ? [rest] : []));
  expect(of('ensemble')).toMatchObject(of('ridge').map(({ symbol, position }) => ({ symbol, position })));
  expect(signals.flatMap(({ noSkill }) => noSkill ?? [])).toHaveLength(2);
  expect(await run('signals')).toMatch(/^BTC\/USDT +logistic \(no skill\)/m);

  const Returns = z.object({
    metrics: z.object({ totalReturnPct: z.number() }),
    models: z.array(
      z.object({
        model: z.string(),
        noSkill: z.string().nullable(),
        metrics: z.object({ totalReturnPct: z.number() }),
      }),
    ),
  });
  const tested = Returns.parse(await json('backtest'));
  const ridge = tested.models.find(({ model }) => model === 'ridge');
  expect(tested.metrics.totalReturnPct).toBe(ridge?.metrics.totalReturnPct);
  const text = await run('backtest', '--report', 'report.html');
  expect(text).toMatch(/^logistic \(no skill\)/m);
  expect(text).toContain('No skill on the validation bars, so no vote: logistic:');
  expect(readFileSync(join(cwd, 'report.html'), 'utf8')).toContain('logistic (no skill)');

  const walked = Returns.parse(
    await json(
      'backtest',
      '--walk-forward',
      '--folds',
      '2',
      '--since',
      '2025-01-18',
      '--models',
      'logistic,ridge',
    ),
  );
  expect(walked.models.map(({ noSkill }) => noSkill?.split(',')[0])).toEqual(['in every fold', undefined]);
  expect(walked.metrics.totalReturnPct).toBe(walked.models[1].metrics.totalReturnPct);

  const paper = await json('paper', '--name', 'one', '--no-exchange', '--max-cycles', '1');
  expect(paper).toMatchObject({ barsProcessed: expect.any(Number) as number });
  const ledger = readFileSync(join(cwd, 'data/paper/one/ledger.jsonl'), 'utf8');
  expect(ledger).toContain('"noSkill":["logistic"]');
});

it('a run of the time before the mark works as it did: everybody votes', async () => {
  const file = join(cwd, 'checkpoints/one/complete.json');
  const { noSkill, ...result } = z.looseObject({}).parse(unseal(readFileSync(file, 'utf8'))?.value);
  expect(noSkill).toMatchObject({ logistic: expect.any(String) as string });
  writeFileSync(file, seal(result).text);
  const text = await run('signals');
  expect(text).not.toContain('(no skill)');
  expect(text).not.toContain('No vote');
  expect(text).toMatch(/^BTC\/USDT +logistic /m);
});

it('when nobody has skill, that is said', async () => {
  const text = await run('train', '--name', 'nobody', '--models', 'logistic');
  expect(text).toContain('No model of this run has skill');
  expect(text).toMatch(/^ensemble \*? *1 member /m);
});
