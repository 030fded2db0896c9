import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { argumentsOf, JobRequest, laneOf } from '../../../src/app/server/jobs/kinds.ts';
import { answersOf } from '../../../src/app/server/jobs/outcome.ts';
import { progressOf } from '../../../src/app/server/jobs/progress.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { walkStore } from '../../learning/training/runs.ts';
import { serveInTest, type TestServer } from './running.ts';

vi.setConfig({ testTimeout: 180_000 });

const Job = z.looseObject({ id: z.string(), state: z.string(), pid: z.number().optional() });
type Job = z.output<typeof Job>;

const start = async (server: TestServer, body: object): Promise<Job> =>
  Job.parse((await server.ask('/api/jobs', { method: 'POST', body })).json());
const cancel = (server: TestServer, { id }: Job) => server.ask(`/api/jobs/${id}/cancel`, { method: 'POST' });

/** The job once it is in one of these states, however long that takes. */
async function until(server: TestServer, { id }: Job, ...states: readonly string[]): Promise<Job> {
  for (;;) {
    const job = Job.parse((await server.ask(`/api/jobs/${id}`)).json());
    // What runs has its process a moment later.
    if (states.includes(job.state) && (job.state !== 'running' || job.pid !== undefined)) return job;
    if (['done', 'failed', 'cancelled'].includes(job.state)) throw new Error(`it is ${JSON.stringify(job)}`);
    await sleep(50);
  }
}

/** An exchange that takes requests and never answers: a job that fetches from it runs until it is stopped. */
async function silentExchange(): Promise<{ readonly url: string; readonly asked: () => Promise<unknown> }> {
  let ask: () => void = () => {};
  const asked = new Promise<void>((done) => (ask = done));
  const server = createServer(() => ask()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, asked: () => asked };
}

describe('a job', () => {
  it('ends with the document that the command prints', async () => {
    const cwd = temporaryFolder();
    await walkStore(cwd);
    const server = await serveInTest(cwd);
    const job = await start(server, { kind: 'verify', symbols: ['ETH/USDT'] });
    expect(job).toMatchObject({ kind: 'verify', arguments: ['data', 'verify', '--symbols=ETH/USDT'] });
    await until(server, job, 'done');
    const { stdout } = await runCli(['data', 'verify', '--symbols', 'ETH/USDT', '--json'], { cwd });
    expect((await server.ask(`/api/jobs/${job.id}/result`)).json()).toEqual(JSON.parse(stdout));
  });

  it('that fails says why in the words of the command', async () => {
    const server = await serveInTest(temporaryFolder());
    const job = await start(server, { kind: 'backtest', run: 'nothing-here' });
    expect(await until(server, job, 'failed')).toMatchObject({
      error: { kind: 'user', message: '"nothing-here" is not a training run.' },
    });
    expect((await server.ask(`/api/jobs/${job.id}/result`)).status).toBe(404);
    expect((await server.ask(`/api/jobs/${job.id}/lines`)).text).toContain('is not a training run');
  });

  it('waits for the one before it, is stopped, and outlives the server that started it', async () => {
    const cwd = temporaryFolder();
    const exchange = await silentExchange();
    writeFileSync(
      join(cwd, 'config.yaml'),
      `exchange:\n  baseUrl: ${exchange.url}\nfetch:\n  source: exchange\n  timeoutMs: 86400000\n`,
    );
    const first = await serveInTest(cwd);
    const running = await start(first, { kind: 'fetch', symbols: ['BTC/USDT'] });
    const waiting = await start(first, { kind: 'fetch', symbols: ['ETH/USDT'] });
    const dropped = await start(first, { kind: 'fetch', symbols: ['SOL/USDT'] });
    await until(first, running, 'running');
    await exchange.asked();
    expect(Job.parse((await cancel(first, dropped)).json()).state).toBe('cancelled');
    expect((await until(first, waiting, 'queued')).pid).toBeUndefined();
    expect((await first.ask(`/api/jobs/${running.id}/result`)).status).toBe(409);

    const { pid } = await until(first, running, 'running');
    await first.kill('SIGKILL');
    const second = await serveInTest(cwd);
    expect(await until(second, running, 'running')).toMatchObject({ pid });
    expect((await until(second, waiting, 'queued')).state).toBe('queued');
    await cancel(second, running);
    await until(second, running, 'cancelled');
    const next = await until(second, waiting, 'running');
    process.kill(next.pid ?? NaN, 'SIGKILL');
    expect(await until(second, waiting, 'failed')).toMatchObject({
      error: { message: expect.stringContaining('ended without an answer') as unknown },
    });
  });

  it('whose folder holds no job, or a damaged one, does not keep the server from starting', async () => {
    const cwd = temporaryFolder();
    for (const name of ['empty', 'damaged']) mkdirSync(join(cwd, 'data/jobs', name), { recursive: true });
    writeFileSync(join(cwd, 'data/jobs/damaged/job.json'), '{"version":1');
    const server = await serveInTest(cwd);
    expect((await server.ask('/api/jobs')).json()).toEqual({ jobs: [] });
    expect((await server.ask('/api/jobs/damaged')).status).toBe(404);
    expect(readdirSync(join(cwd, 'data/jobs'))).toEqual(['damaged', 'empty']);
  });
});

describe('what changes', () => {
  it('comes to whoever listens, the newest of everything at once', async () => {
    const server = await serveInTest(temporaryFolder());
    const headers = { authorization: `Bearer ${server.token}` };
    const response = await fetch(`${server.url}api/live`, { headers });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const read = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(text)) text += (await reader?.read())?.value ?? '';
    };
    await read(/event: view\ndata: \{.*\n\n/);
    await read(/event: jobs\ndata: \[\]\n\n/);
    const job = await start(server, { kind: 'verify' });
    await read(new RegExp(`"id":"${job.id}"[^\\n]*"state":"(done|failed)"`));
    await reader?.cancel();
  });
});

describe('arguments', () => {
  it.each([
    [
      { kind: 'train', mode: 'quick', models: ['ridge', 'gru'] },
      ['train', '--mode=quick', '--models=ridge,gru'],
    ],
    [
      { kind: 'backtest', walkForward: true, feeBps: 7.5, cold: false },
      ['backtest', '--fee-bps=7.5', '--walk-forward'],
    ],
    [{ kind: 'tune', model: 'ridge', trials: 5 }, ['tune', 'run', '--model=ridge', '--trials=5']],
    [{ kind: 'paper', bars: 'stored', fresh: true }, ['paper', '--no-exchange', '--fresh']],
    [{ kind: 'portfolio', action: 'frontier', min: -10 }, ['portfolio', 'frontier', '--min=-10']],
    [{ kind: 'audit', run: 'my-run' }, ['audit', 'my-run']],
    [
      { kind: 'train', settings: { 'models.ridge.penalty': 0.5, 'models.gru.hidden': [8, 8] } },
      ['train', '--set=models.ridge.penalty=0.5', '--set=models.gru.hidden=[8,8]'],
    ],
  ])('of %o', (request, expected) => {
    expect(argumentsOf(JobRequest.parse(request))).toEqual(expected);
  });

  it.each([
    { kind: 'train', name: '--trust' },
    { kind: 'train', name: '../evil' },
    { kind: 'audit', run: '-rf' },
    { kind: 'fetch', exchange: 'binance; rm' },
    { kind: 'fetch', since: '2024-02-15 --trust' },
    { kind: 'fetch', csv: '/etc/passwd' },
    { kind: 'backtest', report: '/tmp/x.html' },
    { kind: 'train', trust: true },
    { kind: 'train', settings: { 'models.ridge.penalty=1 --trust': 1 } },
    { kind: 'train', settings: { plugins: ['/tmp/evil.ts'] } },
  ])('cannot be anything else: %o', (request) => {
    expect(JobRequest.safeParse(request).success).toBe(false);
  });

  it('of paper sessions of different names are of different lanes', () => {
    const lane = (request: object) => laneOf(JobRequest.parse(request));
    expect(lane({ kind: 'paper', name: 'a' })).not.toBe(lane({ kind: 'paper', name: 'b' }));
    expect(lane({ kind: 'train' })).toBe(lane({ kind: 'train', mode: 'full' }));
  });
});

describe('what a command printed', () => {
  const text = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  const error = { kind: 'check', message: 'damaged' };
  it.each([
    ['', { document: undefined, error: undefined }],
    [text({ a: { b: [{}, []] } }), { document: { a: { b: [{}, []] } }, error: undefined }],
    [text({ error }), { document: undefined, error }],
    [text({ ok: false, error }), { document: { ok: false }, error }],
    ['{ "cut of', { document: undefined, error: undefined }],
  ])('%j', (printed, expected) => {
    expect(answersOf(printed)).toEqual(expected);
  });

  it('for people says where it stands', () => {
    expect(progressOf('ridge: 3/10 (30 %) ETA 4 s, loss 0.1')).toEqual({
      label: 'ridge',
      done: 3,
      total: 10,
      note: 'ETA 4 s, loss 0.1',
    });
    expect(progressOf('Stopping after the current step')).toBeUndefined();
  });
});
