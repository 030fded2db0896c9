import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { walkStore } from '../../learning/training/runs.ts';
import { runCli } from '../../support/cli.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cwd: string;
const at = (width: number | undefined, ...args: readonly string[]) =>
  runCli(args, { cwd, environment: width === undefined ? {} : { COLUMNS: String(width) } });

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'screens-'));
  writeFileSync(join(cwd, 'config.yaml'), 'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\n');
  await walkStore(cwd);
  const trained = await at(80, 'train', '--name', 'first', '--models', 'ridge,persistence,momentum-garch');
  expect(tooWide(trained.stdout, 80)).toEqual([]);
  expect(trained.stdout).toMatch(/^Result: .*\n(.*\n)*Next: crypto-trader backtest$/m);
  const paper = await at(80, 'paper', '--no-exchange', '--max-cycles', '3');
  expect(tooWide(paper.stdout, 80)).toEqual([]);
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** Lines that the screen would break, but for those that are there to be copied: commands, and paths or hashes alone. */
const tooWide = (text: string, width: number): string[] =>
  text
    .split('\n')
    .filter((line) => stringWidth(line) > width && line.trim().includes(' '))
    .filter((line) => !/^\s*(\$ )?crypto-trader /.test(line));

const COMMANDS = [
  ['data', 'list'],
  ['data', 'verify'],
  ['data', 'gaps'],
  ['models', 'list'],
  ['models', 'show', 'ridge'],
  ['models', 'show', 'tft'],
  ['signals'],
  ['signals', '--explain'],
  ['backtest'],
  ['backtest', '--strategy', 'cost-aware', '--convention', 'vectorbt'],
  ['features'],
  ['features', 'rsi_14', 'atr_14', '--symbols', 'BTC/USDT'],
  ['features', '--check', '--symbols', 'BTC/USDT', 'rsi_14'],
  ['paper', 'status'],
  ['paper', 'explain'],
  ['config', 'show'],
  ['plugin', 'list'],
  ['service', '--help'],
] as const;
const WIDEST: readonly string[] = ['data list', 'models list', 'signals', 'backtest'];

describe.each([40, 80, 120])('on a screen of %i columns', (width) => {
  const all = COMMANDS.map((args) => [args.join(' '), args] as const);
  const shown = width === 80 ? all : all.filter(([name]) => WIDEST.includes(name));
  it.each(shown)('%s fits', async (_, args) => {
    const { stdout, stderr, status } = await at(width, ...args);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(tooWide(stdout, width)).toEqual([]);
  });
});

it('what is said on stderr fits too', async () => {
  const { stderr, status } = await at(80, 'live', 'plan');
  expect(status).toBe(1);
  expect(stderr).toContain('EXCHANGE_API_KEY');
  expect(tooWide(stderr, 80)).toEqual([]);
});

it('--wide, and a pipe, have every column', async () => {
  const narrow = (await at(80, 'data', 'list')).stdout;
  expect(narrow).toContain('Not shown for lack of width: first, sha256');
  const wide = (await at(80, 'data', 'list', '--wide')).stdout;
  expect(wide).toContain('sha256');
  expect(wide).not.toContain('Not shown');
  expect((await at(undefined, 'data', 'list')).stdout).toBe(wide);
});

it('fetch says what it came to and what to do next', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'screens-'));
  const range = ['--since', '2025-01-01', '--until', '2025-01-02'];
  const fetched = await runCli(['fetch', '--source', 'synthetic', ...range], {
    cwd: folder,
    environment: { COLUMNS: '80' },
  });
  rmSync(folder, { recursive: true });
  expect(tooWide(fetched.stdout, 80)).toEqual([]);
  expect(fetched.stdout).toMatch(/Result: 144 new bars in 3 datasets\.\nNext: crypto-trader train/);
});

it('signals and backtest say so too', async () => {
  const { stdout } = await at(undefined, 'signals');
  expect(stdout).toMatch(/^ETH\/USDT: (UP|DOWN|FLAT|no opinion)/m);
  expect(stdout).toMatch(/Next: crypto-trader fetch/);
  expect((await at(undefined, 'backtest', '--strategy', 'own')).stdout).toMatch(
    /Result: after costs the ensemble returned .* buy and hold .*\nNext: crypto-trader/,
  );
});

it('what a model wants short is flat on an account that is long only, and says so', async () => {
  const longOnly = (await at(undefined, 'signals', '--models', 'persistence', '--until', '2025-01-22'))
    .stdout;
  const free = await runCli(['signals', '--models', 'persistence', '--until', '2025-01-22'], {
    cwd,
    environment: { CRYPTO_TRADER_TRADING_ALLOW_SHORT: 'true' },
  });
  const line = /^(BTC|ETH)\/USDT +persistence +\w+ (-?\d+) % +-1\.00/gm;
  const wanted = (text: string) => [...text.matchAll(line)].map((found) => found[2]);
  expect(wanted(longOnly).length).toBeGreaterThan(0);
  expect(new Set(wanted(longOnly))).toEqual(new Set(['0']));
  expect(new Set(wanted(free.stdout))).toEqual(new Set(['-100']));
});
