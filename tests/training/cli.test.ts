import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/folder.ts';
import { walkStore } from './runs.ts';

// Each test starts the program many times; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 300_000 });

const Trained = z.object({
  runId: z.string(),
  seed: z.number(),
  phases: z.array(
    z.object({
      model: z.string(),
      status: z.string(),
      seconds: z.number().optional(),
      metrics: z.object({ samples: z.number(), netReturnPct: z.number(), feeBps: z.number() }).optional(),
      baseline: z.record(z.string(), z.object({ netReturnPct: z.number() })).optional(),
      checkpoint: z.string().optional(),
      weightHash: z.string().optional(),
    }),
  ),
});
const hashes = (stdout: string): Record<string, string | undefined> =>
  Object.fromEntries(
    Trained.parse(JSON.parse(stdout)).phases.map(({ model, weightHash }) => [model, weightHash]),
  );

const Signals = z.object({
  stale: z.literal(true),
  synthetic: z.boolean(),
  signals: z.array(
    z.object({
      symbol: z.string(),
      time: z.iso.datetime(),
      model: z.string(),
      action: z.enum(['buy', 'sell', 'flat', 'hold']),
      strength: z.number().optional(),
      horizon: z.string(),
    }),
  ),
});

/** Networks with a short window and few steps. */
const SMALL = '{ lookBack: 8, epochs: 1, windowsPerEpoch: 64, validationWindows: 64 }';
const CONFIG = `market: { symbols: [BTC/USDT, ETH/USDT] }
models:
  ppo: { totalTimesteps: 2048, windowBars: 48 }
  dqn: { totalTimesteps: 2048, windowBars: 48 }
  tft: { lookBack: 8, horizonsBars: [4], epochs: 1, windowsPerEpoch: 64, validationWindows: 64 }
${['lstm-cnn', 'lstm', 'gru', 'transformer', 'cnn-lstm'].map((id) => `  ${id}: ${SMALL}\n`).join('')}`;
/** One model of each kind. */
const SOME = ['--models', 'persistence,momentum-garch,boosted-trees,gru'];

async function workspace(options: { synthetic?: boolean } = {}): Promise<string> {
  const folder = temporaryFolder();
  await walkStore(folder, options);
  writeFileSync(join(folder, 'config.yaml'), CONFIG);
  return folder;
}

describe('the commands train, signals and models', () => {
  it('train a set, forecast with it, and show it', async () => {
    const cwd = await workspace();
    const before = await runCli(['signals'], { cwd });
    expect(before).toMatchObject({ status: 1, stdout: '' });
    expect(before.stderr).toContain('crypto-trader train --mode quick');

    const trained = await runCli(['train', '--mode', 'quick', '--seed', '7', '--json'], { cwd });
    expect(trained.status, trained.stderr).toBe(0);
    const { runId, seed, phases } = Trained.parse(JSON.parse(trained.stdout));
    expect(seed).toBe(7);
    expect(phases.map(({ model }) => model)).toContain('ensemble');
    expect(Object.keys(phases[0].baseline ?? {})).toEqual(['buy-and-hold', 'persistence']);

    const { stdout } = await runCli(['signals', '--json'], { cwd });
    const { signals } = Signals.parse(JSON.parse(stdout));
    const forEach = phases.filter(({ status }) => status !== 'skipped').map(({ model }) => model);
    expect(signals.map(({ symbol, model }) => `${symbol} ${model}`)).toEqual(
      ['BTC/USDT', 'ETH/USDT'].flatMap((symbol) => forEach.map((model) => `${symbol} ${model}`)),
    );
    expect((await runCli(['signals'], { cwd })).stdout).toMatch(/ago: run `crypto-trader fetch`/);

    const list = await runCli(['models', '--json'], { cwd });
    expect(JSON.parse(list.stdout)).toMatchObject({ runs: [{ runId, complete: true }] });
    expect((await runCli(['models', 'show', 'persistence'], { cwd })).stdout).toContain('hitRate');
    const refused = await runCli(['models', 'export', 'persistence'], { cwd });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('The model "persistence" has no ONNX form.');
  });

  it('say SYNTHETIC wherever the candles are', async () => {
    const cwd = await workspace({ synthetic: true });
    const refused = await runCli(['train'], { cwd });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('--allow-synthetic');
    const allowed = await runCli(['train', '--allow-synthetic', ...SOME], { cwd });
    expect(allowed.status, allowed.stderr).toBe(0);
    for (const args of [['signals'], ['models'], ['models', 'show', 'persistence']])
      expect((await runCli(args, { cwd })).stdout, args.join(' ')).toContain('SYNTHETIC');
  });

  it.each([
    [['train', '--mode', 'fast'], 2, /quick, full, resume/],
    [['train', '--mode', 'quick', '--checkpoint', 'x'], 2, /belongs to --mode resume/],
    [['train', '--mode', 'resume', '--models', 'persistence'], 2, /the run knows its models/],
    [['train', '--mode', 'resume'], 1, /no training run/],
    [['train', '--models', 'persistance'], 1, /Did you mean "persistence"/],
    [['models', 'show', 'lstn'], 1, /Unknown model "lstn"/],
  ])('%j exits with %i', async (args, status, message) => {
    const cwd = await workspace();
    const finished = await runCli(args, { cwd });
    expect(finished.stderr).toMatch(message);
    expect(finished).toMatchObject({ status, stdout: '' });
  });

  it('refuse to forecast another timeframe than was trained', async () => {
    const cwd = await workspace();
    await runCli(['train', '--models', 'persistence'], { cwd });
    const refused = await runCli(['signals'], {
      cwd,
      environment: { CRYPTO_TRADER_MARKET_TIMEFRAME: '4h' },
    });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('trained on timeframe "1h", the settings say "4h"');
  });
});

describe('Ctrl-C while training', () => {
  it('exits with 130 and keeps the models that are finished', async () => {
    const cwd = await workspace();
    appendFileSync(
      join(cwd, 'config.yaml'),
      '  boosted-trees: { rounds: 20000, earlyStoppingRounds: 20000, eta: 0.001 }\n',
    );
    const args = ['train', '--models', 'persistence,boosted-trees'];
    const child = spawn(process.execPath, [resolve('bin/crypto-trader.js'), ...args], {
      cwd,
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    const log = join(cwd, 'logs/training');
    const started = /"progress".*"boosted-trees"/;
    while (child.exitCode === null && !logText(log).some((text) => started.test(text))) await sleep(20);
    child.kill('SIGINT');
    expect(await exit).toEqual([130, null]);
    expect(logText(log).join()).toContain('run-stopped');

    const [folder] = readdirSync(join(cwd, 'checkpoints'));
    expect(readdirSync(join(cwd, 'checkpoints', folder)).toSorted()).toEqual(['persistence', 'run.json']);
  });
});

/** The text of every training log below `folder`. */
const logText = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8')) : [];

describe('kill -9 while training', () => {
  it('loses no finished model, and a resume ends with the weights of a run that was never killed', async () => {
    const [whole, cwd] = [await workspace(), await workspace()];
    const expected = await runCli(['train', '--json', ...SOME], { cwd: whole });
    const runs = (): string[] => {
      const folder = join(cwd, 'checkpoints');
      return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('-quick')) : [];
    };
    const log = join(cwd, 'logs/training');
    const lines = (): number => logText(log).join('').split('\n').length;

    let killed = 0;
    // Each try is killed a few log lines further on; the log says how far training is.
    for (const further of [1, 2, 5, 9]) {
      const args = runs().length > 0 ? ['train', '--mode', 'resume'] : ['train', ...SOME];
      const child = spawn(process.execPath, [resolve('bin/crypto-trader.js'), ...args], {
        cwd,
        stdio: 'ignore',
      });
      const from = lines();
      while (child.exitCode === null && lines() < from + further) await sleep(2);
      if (child.exitCode === null) killed++;
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    expect(killed).toBeGreaterThan(2);
    const resumed = await runCli(['train', '--mode', 'resume', '--json'], { cwd });
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(runs()).toHaveLength(1);
    expect(hashes(resumed.stdout)).toEqual(hashes(expected.stdout));
  });
});
