import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
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
training: { snapshotMinutes: 0 }
models:
  ppo: { totalTimesteps: 2048, windowBars: 48 }
  dqn: { totalTimesteps: 2048, windowBars: 48 }
  tft: { lookBack: 8, horizonsBars: [4], epochs: 1, windowsPerEpoch: 64, validationWindows: 64 }
${['lstm-cnn', 'lstm', 'gru', 'transformer', 'cnn-lstm', 'multi-task', 'late-fusion', 'graph-attention', 'tcn-graph-lstm'].map((id) => `  ${id}: ${SMALL}\n`).join('')}`;
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
    expect((await runCli(['signals'], { cwd })).stdout).toMatch(/ago\. Next: crypto-trader fetch/);

    const list = await runCli(['models', '--json'], { cwd });
    expect(JSON.parse(list.stdout)).toMatchObject({ runs: [{ runId, complete: true }] });
    expect((await runCli(['models', 'show', 'persistence'], { cwd })).stdout).toContain('hitRate');
    const refused = await runCli(['models', 'export', 'persistence'], { cwd });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('The model "persistence" has no ONNX form.');
    expect((await runCli(['models', 'show', runId], { cwd })).stderr).toContain(
      `is a training run, not a model.\nName one of its models: crypto-trader models show buy-and-hold --run ${runId}`,
    );
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
    [['train', '--mode', 'resume', '--seeds', '3'], 2, /the run knows its seeds/],
    [['train', '--seeds', '0'], 2, /--seeds/],
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

/** A network that takes long enough to be interrupted: 60 steps, each of them kept. */
const LONGER = CONFIG.replace(
  `gru: ${SMALL}`,
  'gru: { lookBack: 8, epochs: 6, windowsPerEpoch: 640, validationWindows: 64 }',
);

/** Starts the program and leaves it running. */
function start(args: readonly string[], cwd: string) {
  const child = spawn(process.execPath, [resolve('bin/crypto-trader.js'), ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exit = once(child, 'exit');
  return { child, exit, stderr: () => stderr };
}

describe('Ctrl-C while training', () => {
  it('keeps finished models and the state of the one in work, says where, and exits with 130', async () => {
    const cwd = await workspace();
    writeFileSync(join(cwd, 'config.yaml'), LONGER);
    const { child, exit, stderr } = start(['train', '--models', 'persistence,gru'], cwd);
    const log = join(cwd, 'logs/training');
    while (child.exitCode === null && !logText(log).some((text) => /"snapshot".*"step":3/.test(text)))
      await sleep(5);
    child.kill('SIGINT');
    expect(await exit).toEqual([130, null]);
    expect(logText(log).join()).toContain('run-stopped');
    const [, step, folder] = /"gru" stands at epoch \d+, step (\d+): (.*)\n/.exec(stderr()) ?? [];
    expect(Number(step), stderr()).toBeGreaterThanOrEqual(3);
    expect(existsSync(join(cwd, folder, 'manifest.json'))).toBe(true);
    expect(stderr()).toContain('train --mode resume --run');
    const [run] = readdirSync(join(cwd, 'checkpoints'));
    const files = readdirSync(join(cwd, 'checkpoints', run));
    expect(files.toSorted()).toEqual(['persistence', 'run.json', 'snapshots']);

    // From the newest snapshot, and from an older one: the same weights as without a stop.
    const older = join(dirname(folder), readdirSync(join(cwd, dirname(folder))).toSorted()[0]);
    const twin = temporaryFolder();
    cpSync(cwd, twin, { recursive: true });
    const newest = await runCli(['train', '--mode', 'resume', '--json'], { cwd });
    const fromOlder = await runCli(['train', '--mode', 'resume', '--checkpoint', older, '--json'], {
      cwd: twin,
    });
    const whole = await workspace();
    writeFileSync(join(whole, 'config.yaml'), LONGER);
    const expected = await runCli(['train', '--models', 'persistence,gru', '--json'], { cwd: whole });
    expect(newest.status, newest.stderr).toBe(0);
    expect(hashes(newest.stdout)).toEqual(hashes(expected.stdout));
    expect(hashes(fromOlder.stdout)).toEqual(hashes(expected.stdout));
    expect(existsSync(join(cwd, 'checkpoints', run, 'snapshots', 'gru'))).toBe(false);
  });
});

/** The text of every training log below `folder`. */
const logText = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.jsonl'))
        .map((file) => readFileSync(join(folder, file), 'utf8'))
    : [];

describe('kill -9 while training', () => {
  it('loses little, and a resume ends with the weights of a run that was never killed', async () => {
    const [whole, cwd] = [await workspace(), await workspace()];
    for (const folder of [whole, cwd]) writeFileSync(join(folder, 'config.yaml'), LONGER);
    const expected = await runCli(['train', '--json', ...SOME], { cwd: whole });
    const runs = (): string[] => {
      const folder = join(cwd, 'checkpoints');
      return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('-quick')) : [];
    };
    const log = join(cwd, 'logs/training');
    const count = (pattern: RegExp): number => logText(log).join('').match(pattern)?.length ?? 0;
    const line = /\n/g;
    const snapshot = /"kind":"snapshot","model":"gru"/g;

    let killed = 0;
    // Each try is killed a few log lines, or a few snapshots, further on: the log says how far training is.
    for (const [what, further] of [
      [line, 1],
      [line, 2],
      [line, 9],
      [snapshot, 3],
      [snapshot, 5],
    ] as const) {
      const { child, exit } = start(
        runs().length > 0 ? ['train', '--mode', 'resume'] : ['train', ...SOME],
        cwd,
      );
      const from = count(what);
      while (child.exitCode === null && count(what) < from + further) await sleep(2);
      if (child.exitCode === null) killed++;
      child.kill('SIGKILL');
      await exit;
    }
    expect(killed).toBeGreaterThan(3);
    const resumed = await runCli(['train', '--mode', 'resume', '--json'], { cwd });
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(runs()).toHaveLength(1);
    expect(logText(log).join()).toMatch(/"model-started","model":"gru","phase":"deep","fromStep":[1-9]/);
    expect(hashes(resumed.stdout)).toEqual(hashes(expected.stdout));
  });
});
