import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { emptyCandles } from '../src/core/market/candles.ts';
import { openStore } from '../src/data/store/store.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { pageRows } from './server-page.ts';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
const BARS = 17_520;
const LISTENERS = 200;
const Ready = z.object({ url: z.string(), token: z.string() });

/** The server as a process of its own, asked over loopback. */
export async function run(): Promise<readonly BenchRow[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'bench-server-'));
  writeFileSync(join(cwd, 'config.yaml'), 'exchange: { id: synthetic }\n');
  await storeCandles(cwd);
  const started: number[] = [];
  let server = await start(cwd, started);
  for (let again = 0; again < 4; again++) {
    await stop(server.child);
    server = await start(cwd, started);
  }
  const { child, url, token } = server;
  try {
    const headers = { authorization: `Bearer ${token}` };
    const agent = new Agent({ keepAlive: true });
    const ask = (path: string, from = agent): Promise<number> =>
      new Promise((done, fail) => {
        get(`${url}${path}`, { agent: from, headers }, (incoming) => {
          let bytes = 0;
          incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
          incoming.once('error', fail).once('end', () => done(bytes));
        }).once('error', fail);
      });
    const candles = 'api/candles?exchange=synthetic&symbol=BTC/USDT&timeframe=1h';
    const cold = performance.now();
    const bytes = await ask(candles);
    const coldMs = performance.now() - cold;
    const warmMs = await medianMs(() => ask(candles), 21);

    const before = cpuSeconds(child.pid ?? 0);
    const many = new Agent({ keepAlive: true, maxSockets: 8 });
    const from = performance.now();
    const REQUESTS = 3000;
    let asked = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (asked < REQUESTS) {
          asked++;
          await ask('api/jobs', many);
        }
      }),
    );
    const seconds = (performance.now() - from) / 1000;
    const busy = cpuSeconds(child.pid ?? 0) - before;

    const listeners = await Promise.all(
      Array.from({ length: LISTENERS }, () => listen(`${url}api/live`, headers)),
    );
    await sleep(2000);
    const idle = cpuSeconds(child.pid ?? 0);
    await sleep(10_000);
    const listening = cpuSeconds(child.pid ?? 0) - idle;
    for (const one of listeners) one.abort();
    agent.destroy();
    many.destroy();
    started.sort((a, b) => a - b);
    return [
      {
        name: 'start, until it answers',
        value: started[2] / 1000,
        unit: 's',
        target: '<= 0.7 s',
        note: 'median of 5',
      },
      {
        name: 'candles, 17 520 bars',
        value: warmMs,
        unit: 'ms',
        target: '<= 15 ms',
        note: `${(bytes / 1e6).toFixed(2)} MB of JSON; from the store the first time ${coldMs.toFixed(0)} ms`,
      },
      {
        name: 'requests',
        value: REQUESTS / seconds,
        unit: '/s',
        target: '>= 300 /s',
        note: `eight at once; ${(REQUESTS / busy).toFixed(0)} per second of processor time`,
      },
      {
        name: `${LISTENERS} listeners, nothing new`,
        value: 10 * listening,
        unit: '% of a core',
        target: '< 10 %',
      },
      ...(await pageRows(url, token)),
    ];
  } finally {
    await stop(child);
    rmSync(cwd, { recursive: true });
  }
}

async function start(cwd: string, started: number[]) {
  const from = performance.now();
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, 'data'));
  const ready = Ready.parse(JSON.parse(line.toString()));
  const health = await fetch(`${ready.url}api/health`);
  if (!health.ok) throw new Error(`the server answers ${health.status}`);
  started.push(performance.now() - from);
  return { child, ...ready };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

function listen(url: string, headers: Readonly<Record<string, string>>): Promise<AbortController> {
  const stopping = new AbortController();
  return new Promise((done, fail) => {
    get(url, { headers, agent: false, signal: stopping.signal }, (incoming) => {
      incoming.on('error', () => undefined).resume();
      done(stopping);
    }).once('error', (error) => {
      if (!stopping.signal.aborted) fail(error);
    });
  });
}

/** Of a process, from proc(5); Linux only. */
function cpuSeconds(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function storeCandles(cwd: string): Promise<void> {
  const candles = emptyCandles(BARS);
  for (let row = 0; row < BARS; row++) {
    const price = Math.round(6_000_000 + 500_000 * Math.sin(row / 97)) / 100;
    candles.time[row] = Date.UTC(2024, 1, 15) + row * 3_600_000;
    candles.open[row] = price;
    candles.close[row] = price + 7.25;
    candles.high[row] = price + 31.5;
    candles.low[row] = price - 29.75;
    candles.volume[row] = 100 + (row % 900) / 8;
  }
  await openStore(join(cwd, 'data')).merge(
    { exchange: 'synthetic', symbol: 'BTC/USDT', timeframe: '1h' },
    candles,
    { source: 'synthetic', synthetic: true },
  );
}
