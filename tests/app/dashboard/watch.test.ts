import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { START } from '../../../src/app/dashboard/controls.ts';
import { placePanes } from '../../../src/app/dashboard/layout.ts';
import { createWatch } from '../../../src/app/dashboard/watch.ts';
import { startSession } from '../../../src/desk/paper/session.ts';
import { HOUR, randomWalk, session, steps } from '../../desk/paper/walk.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const BARS = 120;

async function watched(overrides: Partial<typeof session> = {}) {
  const root = temporaryFolder();
  const folder = join(root, 'data/paper/test-1h');
  const running = await startSession(folder, { ...session, ...overrides });
  const all = steps(randomWalk(BARS, 3));
  let nowMs = 0;
  const watch = createWatch({ dataDir: join(root, 'data'), logDir: join(root, 'logs'), now: () => nowMs });
  const process = async (from: number, to: number): Promise<void> => {
    for (const { bar, decision } of all.slice(from, to)) {
      const trees: [[number, number], null] = [[0.25, 0.7], null];
      await running.process(bar, { ...decision, models: { trees } }, bar.timeMs);
      nowMs = bar.timeMs + HOUR;
    }
  };
  return { root, folder, running, watch, process, setNow: (ms: number) => (nowMs = ms) };
}

describe('what is watched', () => {
  it('is nothing, without an error, in an empty folder', async () => {
    const root = temporaryFolder();
    const watch = createWatch({ dataDir: root, logDir: root, now: () => 0 });
    expect(await watch.look()).toMatchObject({ session: undefined, training: undefined, log: [] });
  });

  it('agrees with the session at every look, however the bars were spread over the looks', async () => {
    const { running, watch, process } = await watched();
    for (const [from, to] of [
      [0, 1],
      [1, 40],
      [40, 40],
      [40, BARS],
    ]) {
      await process(from, to);
      const view = await watch.look();
      const { account, last } = running;
      expect(view.session).toMatchObject({
        bars: to,
        equity: account.equity(),
        cash: account.portfolio.cash,
        lastBarTime: new Date(last?.timeMs ?? NaN).toISOString(),
      });
      expect(view.positions.filter(({ side }) => side !== 'flat')).toMatchObject(account.positions());
    }
    const { equityCurve = [], closedTrades, maxDrawdownPct } = (await watch.look()).session ?? {};
    expect(equityCurve).toHaveLength(BARS);
    const drawdowns = equityCurve.map((value, i) => 1 - value / Math.max(...equityCurve.slice(0, i + 1)));
    expect(maxDrawdownPct).toBeCloseTo(100 * Math.max(...drawdowns), 10);
    expect(closedTrades).toBeGreaterThan(0);
    await running.close();
  });

  it('shows each model beside the ensemble', async () => {
    const { running, watch, process } = await watched();
    await process(0, 3);
    const { signals } = await watch.look();
    expect(signals.map(({ model }) => model)).toEqual(['trees', 'ensemble']);
    expect(signals[0].bySymbol).toEqual([
      { symbol: 'BTC/USDT', position: 0.25, confidence: 0.7 },
      { symbol: 'ETH/USDT', position: undefined, confidence: undefined },
    ]);
    await running.close();
  });

  it('waits for the rest of a line that is being written, and starts over with another session', async () => {
    const { root, folder, running, watch, process } = await watched();
    await process(0, 5);
    await running.close();
    appendFileSync(join(folder, 'ledger.jsonl'), '{"kind":"bar","ti');
    expect((await watch.look()).session?.bars).toBe(5);
    mkdirSync(join(root, 'data/paper/archive'), { recursive: true });
    renameSync(folder, join(root, 'data/paper/archive/old'));
    const fresh = await startSession(folder, { ...session, sessionId: 'fresh' });
    expect((await watch.look()).session).toMatchObject({ sessionId: 'fresh', bars: 0, equity: 10_000 });
    await fresh.close();
  });

  it('is overdue when a bar of an exchange has not come one bar after its close', async () => {
    const { running, watch, process, setNow } = await watched({ feed: 'exchange' });
    await process(0, 2);
    const last = running.last?.timeMs ?? NaN;
    setNow(last + 3 * HOUR);
    expect((await watch.look()).session?.overdueSeconds).toBeUndefined();
    setNow(last + 3 * HOUR + 90_000);
    expect((await watch.look()).session?.overdueSeconds).toBe(90);
    await running.close();
  });

  it('follows a training run', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'training'));
    const watch = createWatch({ dataDir: root, logDir: root, now: () => 0 });
    const write = (record: object) => {
      const line = { time: '2026-01-01T00:00:00.000Z', runId: 'r', ...record };
      appendFileSync(join(root, 'training/r.jsonl'), `${JSON.stringify(line)}\n`);
    };
    const statuses = async () =>
      (await watch.look()).training?.models.map(({ model, status }) => `${model} ${status}`);
    write({ kind: 'run-started', mode: 'quick', models: ['a', 'b'] });
    write({ kind: 'model-started', model: 'a', phase: 'classical' });
    write({ kind: 'progress', model: 'a', phase: 'classical', step: 3, steps: 9, loss: 0.5 });
    expect(await statuses()).toEqual(['a running', 'b waiting']);
    write({ kind: 'run-stopped', reason: 'Interrupted.' });
    expect(await statuses()).toEqual(['a stopped', 'b waiting']);
    write({ kind: 'model-skipped', model: 'b', phase: 'classical', reason: 'too few bars' });
    expect(await statuses()).toEqual(['a stopped', 'b skipped']);
  });

  it('says what the trials of an agent returned while it trains, and nothing before the first', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'training'));
    const watch = createWatch({ dataDir: root, logDir: root, now: () => 0 });
    const progress = { kind: 'progress', model: 'ppo', phase: 'agent', steps: 9 };
    const shown = async (record: object) => {
      const line = { time: '2026-01-01T00:00:00.000Z', runId: 'r', ...progress, ...record };
      appendFileSync(join(root, 'training/r.jsonl'), `${JSON.stringify(line)}\n`);
      const [training] = placePanes(await watch.look(), START, { columns: 120, rows: 40 })
        .flatMap(({ panes }) => panes)
        .filter(({ pane }) => pane.id === 'training');
      return training.lines[0].map(({ text }) => text).join('');
    };
    expect(await shown({ step: 1, figures: { entropy: 1 } })).not.toContain('trial');
    // 1.25 = e^.22314, .8 = e^-.22314.
    const figures = { validationLogGrowth: Math.log(0.8), bestValidationLogGrowth: Math.log(1.25) };
    expect(await shown({ step: 2, figures })).toContain('trial -20.00 %, best +25.00 %');
  });

  it('follows the log into its next file', async () => {
    const root = temporaryFolder();
    const watch = createWatch({ dataDir: root, logDir: root, now: () => 0 });
    const line = (msg: string) => `${JSON.stringify({ level: 40, time: '2026-01-01T00:00:00.000Z', msg })}\n`;
    const shown = async () => (await watch.look()).log.map(({ level, message }) => `${level} ${message}`);
    writeFileSync(join(root, 'crypto-trader.1.log'), `not json\n${line('one')}`);
    expect(await shown()).toEqual(['warn one']);
    writeFileSync(join(root, 'crypto-trader.2.log'), line('two'));
    const later = Date.now() / 1000 + 10;
    utimesSync(join(root, 'crypto-trader.2.log'), later, later);
    expect(await shown()).toEqual(['warn one', 'warn two']);
    rmSync(join(root, 'crypto-trader.1.log'));
    expect(await shown()).toEqual(['warn one', 'warn two']);
  });
});

describe('the command', () => {
  it('prints one plain frame into a pipe and ends, and the same as JSON', async () => {
    const { root, running, process } = await watched();
    await process(0, 20);
    await running.close();
    const frame = await runCli(['dashboard'], { cwd: root });
    expect(frame).toMatchObject({ status: 0, stderr: '' });
    expect(frame.stdout).toContain('test-1h, 20 bars');
    expect(frame.stdout).not.toContain('\u001b');
    const json = await runCli(['dashboard', '--json'], { cwd: root });
    expect(JSON.parse(json.stdout)).toMatchObject({ session: { sessionId: 'test-1h', bars: 20 } });
  });
});
