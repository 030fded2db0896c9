import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { START } from '../../../src/app/dashboard/controls.ts';
import { placePanes } from '../../../src/app/dashboard/layout.ts';
import { createWatch } from '../../../src/app/dashboard/watch.ts';
import { writeControl } from '../../../src/desk/paper/controls.ts';
import { createStudy } from '../../../src/lab/tuning/study.ts';
import type { SessionRecord } from '../../../src/desk/paper/record.ts';
import { startSession } from '../../../src/desk/paper/session.ts';
import { HOUR, randomWalk, session, steps } from '../../desk/paper/walk.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const BARS = 120;

/** Data in the folder itself, or in `data` of it, with everything else beside. */
const watchOf = (root: string, now: () => number = () => 0, data = '.') =>
  createWatch({
    dataDir: join(root, data),
    logDir: data === '.' ? root : join(root, 'logs'),
    checkpointDir: join(root, 'checkpoints'),
    tuningDir: join(root, 'tuning'),
    market: { exchange: 'test', timeframe: '1h', symbols: ['BTC/USDT'] },
    now,
  });

async function watched(overrides: Partial<typeof session> = {}) {
  const root = temporaryFolder();
  const folder = join(root, 'data/paper/test-1h');
  const running = await startSession(folder, { ...session, ...overrides });
  const all = steps(randomWalk(BARS, 3));
  let nowMs = 0;
  const watch = watchOf(root, () => nowMs, 'data');
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
    const watch = watchOf(root);
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

  it('knows of each closed trade what was decided at the close before it opened', async () => {
    const { running, watch, process } = await watched();
    await process(0, BARS);
    const { trades = [], session: now } = await watch.look(['trades']);
    expect(trades).toHaveLength(now?.closedTrades ?? -1);
    expect(trades.length).toBeGreaterThan(3);
    for (const { symbol, entryTime, entered, exit, exitTime, left } of trades) {
      expect(entered).toMatchObject({ time: new Date(Date.parse(entryTime) - HOUR).toISOString() });
      // Only the first of the two symbols has a model that speaks.
      expect(entered?.votes).toEqual(
        symbol === 'BTC/USDT' ? [{ model: 'trees', position: 0.25, confidence: 0.7 }] : [],
      );
      if (exit !== 'target') expect(left).toBeUndefined();
      else
        expect(left).toMatchObject({ target: 0, time: new Date(Date.parse(exitTime) - HOUR).toISOString() });
    }
    await running.close();
  });

  it('stands against its limits where the ledger says, and as paused as somebody asked', async () => {
    const risk: SessionRecord['risk'] = {
      maxDrawdownPct: 50,
      maxDailyLossPct: undefined,
      maxTradePct: 5,
      maxOrdersPerMinute: 10,
      priceCollarPct: undefined,
      minBalance: 100,
      protections: [{ kind: 'cooldown', stopBars: 2 }],
    };
    const { folder, running, watch, process } = await watched({ risk });
    await process(0, BARS);
    await writeControl(folder, { mode: 'pause', sinceMs: 0 });
    const { risk: seen, session: now } = await watch.look(['risk']);
    expect(seen).toMatchObject({
      control: 'pause',
      controlSince: '1970-01-01T00:00:00.000Z',
      pid: undefined,
      killed: false,
      protections: ['cooldown: a symbol rests for 2 bars after a trade'],
    });
    const gauge = (name: string) => seen?.gauges.find((one) => one.name === name);
    expect(gauge('drawdown')).toMatchObject({ value: now?.drawdownPct, limit: 50 });
    expect(gauge('exposure')?.value).toBeCloseTo(now?.exposurePct ?? NaN, 10);
    expect(gauge('cash')).toMatchObject({ value: running.account.portfolio.cash, limit: 100, kind: 'floor' });
    expect(gauge('loss today')?.limit).toBeUndefined();
    const [rule] = seen?.verdicts ?? [];
    expect(rule).toMatchObject({ rule: 'trade-size' });
    expect(seen?.newest[0].text).toMatch(/^risk rule [a-z-]+: \w+\/USDT /);
    await running.close();
  });

  it('has candles of the session with its fills where nothing is stored', async () => {
    const { running, watch, process } = await watched();
    await process(0, 50);
    const { markets = [] } = await watch.look(['markets']);
    expect(markets.map(({ symbol, source }) => [symbol, source])).toEqual([
      ['BTC/USDT', 'session'],
      ['ETH/USDT', 'session'],
    ]);
    const [btc] = markets;
    expect(btc.candles).toHaveLength(50);
    expect(btc.candles.at(-1)).toMatchObject({ close: running.last?.candles[0]?.[3] });
    expect(btc.fills.length).toBeGreaterThan(0);
    for (const { timeMs, price } of btc.fills) {
      const bar = btc.candles.find((one) => one.timeMs === timeMs);
      // Slippage may carry a fill past the range of its bar, by a few basis points.
      expect(price).toBeGreaterThan(0.999 * (bar?.low ?? NaN));
      expect(price).toBeLessThan(1.001 * (bar?.high ?? NaN));
    }
    await running.close();
  });

  it('lists jobs with what they said last, the newest first, and skips what is no job', async () => {
    const root = temporaryFolder();
    const watch = watchOf(root, () => Date.UTC(2026, 0, 1, 0, 0, 30));
    const job = (id: string, record: object, progress: string): void => {
      mkdirSync(join(root, 'jobs', id), { recursive: true });
      const whole = {
        id,
        kind: 'train',
        arguments: ['train'],
        createdAt: '2026-01-01T00:00:00.000Z',
        ...record,
      };
      writeFileSync(join(root, 'jobs', id, 'job.json'), JSON.stringify(whole));
      writeFileSync(join(root, 'jobs', id, 'progress.log'), progress);
    };
    const startedAt = '2026-01-01T00:00:10.000Z';
    job('1', { state: 'failed', startedAt, endedAt: startedAt, error: { message: 'No candles.' } }, 'x\n');
    job('2', { state: 'running', startedAt }, 'one\r\ntwo \u001b[31mred\n');
    job('3', { state: 'queued' }, '');
    mkdirSync(join(root, 'jobs', '4'));
    expect((await watch.look(['jobs'])).jobs).toMatchObject([
      { id: '3', state: 'queued', seconds: undefined, line: 'train' },
      {
        id: '2',
        state: 'running',
        seconds: 20,
        line: expect.stringMatching(/^two [^\u001b]*red$/) as string,
      },
      { id: '1', state: 'failed', seconds: 0, line: 'No candles.' },
    ]);
  });

  it('follows a training run', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'training'));
    const watch = watchOf(root);
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
    const watch = watchOf(root);
    const progress = { kind: 'progress', model: 'ppo', phase: 'agent', steps: 9 };
    const shown = async (record: object) => {
      const line = { time: '2026-01-01T00:00:00.000Z', runId: 'r', ...progress, ...record };
      appendFileSync(join(root, 'training/r.jsonl'), `${JSON.stringify(line)}\n`);
      const [training] = placePanes(await watch.look(), START, { columns: 120, rows: 40 })
        .flatMap(({ panes }) => panes)
        .filter(({ pane }) => pane.id === 'running');
      return training.lines[0].map(({ text }) => text).join('');
    };
    expect(await shown({ step: 1, figures: { entropy: 1 } })).not.toContain('trial');
    // 1.25 = e^.22314, .8 = e^-.22314.
    const figures = { validationLogGrowth: Math.log(0.8), bestValidationLogGrowth: Math.log(1.25) };
    expect(await shown({ step: 2, figures })).toContain('trial -20.00 %, best +25.00 %');
  });

  it('follows the log into its next file', async () => {
    const root = temporaryFolder();
    const watch = watchOf(root);
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

describe('studies', () => {
  it('are watched as their journals grow: trials, workers, what is left of the one that runs', async () => {
    const root = temporaryFolder();
    let nowMs = Date.now();
    const watch = watchOf(root, () => nowMs);
    expect(await watch.look(['studies', 'live'])).toMatchObject({ studies: [], live: [] });

    const study = await createStudy(join(root, 'tuning/trees'), {
      type: 'study',
      version: 1,
      name: 'trees',
      createdAt: '2026-02-13T10:00:00.000Z',
      program: '0.1.0',
      seed: 1,
      sampler: 'random',
      pruner: 'none',
      objectives: ['sharpe'],
      steps: 2,
      space: { depth: { kind: 'int', low: 1, high: 9 } },
      task: { model: 'boosted-trees' },
    });
    const first = await study.ask(3);
    expect(await watch.look(['studies'])).toMatchObject({
      studies: [{ running: [{ number: 0, step: 0, steps: 2, etaSeconds: undefined }] }],
    });
    await study.report(0, 0, -0.5);
    // A loss: the Sharpe ratio is better the more it is.
    await study.tell(0, { state: 'complete', values: [-0.5], violation: 0 });
    await study.ask(3);
    mkdirSync(join(root, 'tuning/broken'));
    writeFileSync(join(root, 'tuning/broken/study.jsonl'), 'no study\n');
    nowMs = Date.now() + 1000;
    const { studies = [] } = await watch.look(['studies']);
    const [trees, broken] = ['trees', 'broken'].map((name) => studies.find((one) => one.name === name));
    expect(trees).toMatchObject({
      model: 'boosted-trees',
      objective: 'sharpe',
      complete: 1,
      best: 0.5,
      running: [{ number: 1, step: 0, worker: first?.worker }],
      workers: [{ worker: first?.worker, ended: 1, trial: 1 }],
      trials: [{ number: 1 }, { number: 0, state: 'complete', value: 0.5, params: first?.params }],
    });
    // The second has run for longer than the first took.
    expect(trees?.running[0].etaSeconds).toBe(0);
    expect(broken?.damaged).toContain('study');
    await study.close();
  });
});
