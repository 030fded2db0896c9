import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { walkStore } from './runs.ts';

// The program is started several times; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 300_000 });

const CONFIG = `market: { symbols: [BTC/USDT, ETH/USDT] }
models:
  gru: { lookBack: 8, hidden: 4, layers: 1, epochs: 2, windowsPerEpoch: 64, validationWindows: 64 }`;

const Adapted = z.object({
  baseRunId: z.string(),
  runId: z.string().nullable(),
  activated: z.boolean(),
  models: z.array(
    z.object({ id: z.string(), kept: z.boolean(), lossBefore: z.number(), lossAfter: z.number() }),
  ),
});

it('a run goes on with new bars without forgetting, and adapts in a few steps to the newest', async () => {
  const cwd = temporaryFolder();
  await walkStore(cwd);
  writeFileSync(join(cwd, 'config.yaml'), CONFIG);
  const run = async (...args: readonly string[]) => {
    const done = await runCli(args, { cwd });
    expect(`${done.stderr}${done.status}`).toMatch(/0$/);
    return done.stdout;
  };
  await run('train', '--models', 'gru', '--name', 'base', '--until', '2025-01-17');
  const went = await run('train', '--from', 'base', '--continual', 'replay', '--name', 'newer');
  expect(went).toContain('Losses of bars that were known before, by market regime');
  expect(went).toMatch(/backward transfer -?\d\.\d{4}/);

  const adapted = Adapted.parse(JSON.parse(await run('models', 'adapt', 'base', '--since', '5d', '--rate', '0.0001', '--name', 'now', '--json'))); // prettier-ignore
  expect(adapted.models).toHaveLength(1);
  const [{ kept, lossBefore, lossAfter }] = adapted.models;
  expect(kept).toBe(lossAfter < lossBefore);
  expect(adapted.runId).toBe(kept ? 'now' : null);
  // What was adapted is a whole run: every file of it is checked before it is used.
  if (kept) await run('models', 'activate', 'now');

  const active = Adapted.parse(JSON.parse(await run('models', 'adapt', '--since', '120h', '--json')));
  expect(active.baseRunId).toBe(kept ? 'now' : 'base');

  const wrong = await runCli(['train', '--continual', 'ewc'], { cwd });
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('--from <run>')]);
  const nothing = await runCli(['train', '--from', 'newest'], { cwd });
  expect([nothing.status, nothing.stderr]).toEqual([
    1,
    expect.stringContaining('"newest" is not a training run'),
  ]);
});
