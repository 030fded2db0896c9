import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli, runCommand } from '../../support/cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'project-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));
const run = (...args: readonly string[]) => runCli(args, { cwd });
const config = (): string => readFileSync(join(cwd, 'config.yaml'), 'utf8');

describe('the program alone', () => {
  it('says what to do first, then what stands in the way', async () => {
    expect((await run()).stdout).toContain('This folder holds no project yet. Next: crypto-trader init');
    expect((await run('init', '--yes', '--symbols', 'BTC/USDT')).status).toBe(0);
    expect((await run()).stdout).toContain('Candles are missing. Next: crypto-trader fetch');
    const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
    const candles = walk(100, { startMs: Date.UTC(2024, 2, 1) });
    await openStore(join(cwd, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
    const { stdout } = await run();
    expect(stdout).toContain('1 pairs 1h from binance, until 2024-03-05 03:00');
    expect(stdout).toContain('Nothing is trained. Next: crypto-trader train --mode quick');
    const document = JSON.parse((await run('--json')).stdout) as { runs: number; next: { command: string } };
    expect(document).toMatchObject({ runs: 0, next: { command: 'crypto-trader train --mode quick' } });
  });
});

describe('init', () => {
  it('writes settings that hold, and a place for secrets', async () => {
    const { status, stdout } = await run(
      'init', '--exchange', 'kraken', '--symbols', 'btc/eur,eth/eur', '--timeframe', '4h', '--capital', '5000', '--risk', 'low', '--models', 'boosted-trees,tft',
    ); // prettier-ignore
    expect(status).toBe(0);
    expect(stdout).toContain('Next: crypto-trader fetch');
    const { settings } = JSON.parse((await run('config', 'show', '--json')).stdout) as {
      settings: { path: string; value: unknown; origin: string }[];
    };
    const value = (path: string): unknown => settings.find((setting) => setting.path === path)?.value;
    expect(value('exchange.id')).toBe('kraken');
    expect(value('exchange.mode')).toBe('paper');
    expect(value('market.symbols')).toEqual(['BTC/EUR', 'ETH/EUR']);
    expect(value('trading.initialBalance')).toBe(5000);
    expect(value('risk.maxDrawdownPct')).toBe(10);
    expect(value('training.models')).toEqual(['boosted-trees', 'tft']);
    expect(readFileSync(join(cwd, '.env'), 'utf8')).toContain('EXCHANGE_API_KEY');
  });

  it('touches nothing that is there', async () => {
    writeFileSync(join(cwd, 'config.yaml'), 'seed: 7\n');
    writeFileSync(join(cwd, '.env'), 'EXCHANGE_API_KEY=secret\n');
    const { status, stderr } = await run('init', '--yes');
    expect(status).toBe(1);
    expect(stderr).toContain('There is a config.yaml here already.');
    expect(config()).toBe('seed: 7\n');
    rmSync(join(cwd, 'config.yaml'));
    expect((await run('init', '--yes')).status).toBe(0);
    expect(readFileSync(join(cwd, '.env'), 'utf8')).toBe('EXCHANGE_API_KEY=secret\n');
  });

  it.each([
    [['--capital', 'much'], 2],
    [['--risk', 'wild'], 2],
    [['--exchange', 'No Such'], 2],
    [['--symbols', 'BTC/USDT,ETH/BTC,'], 1],
    [['--timeframe', '7h'], 1],
    [['--models', 'boosted-tree'], 1],
  ] as const)('refuses %j with exit code %i and writes nothing', async (args, code) => {
    const { status } = await run('init', ...args);
    expect(status).toBe(code);
    expect(existsSync(join(cwd, 'config.yaml'))).toBe(false);
    expect(existsSync(join(cwd, '.env'))).toBe(false);
  });
});

it('names parameters of models that there are not', async () => {
  writeFileSync(join(cwd, 'config.yaml'), 'models:\n  rige: { penalty: 1 }\n');
  const { status, stderr } = await run('models');
  expect(status).toBe(0);
  expect(stderr).toContain('models.rige has no effect: there is no such model. Did you mean "ridge"?');
});

describe('config set', () => {
  const FILE = `# mine\nmarket:\n  symbols: [BTC/USDT] # just one\n  timeframe: 1h\n\ntrading:\n  feeBps: 10 # taker\n`;
  beforeEach(() => writeFileSync(join(cwd, 'config.yaml'), FILE));

  it('changes one value and leaves the rest as it was written', async () => {
    expect((await run('config', 'set', 'trading.feeBps', '7.5')).status).toBe(0);
    expect(config()).toBe(FILE.replace('feeBps: 10', 'feeBps: 7.5'));
    expect((await run('config', 'set', 'market.symbols', '[BTC/USDT, ETH/USDT]')).status).toBe(0);
    expect(config()).toContain('  symbols: [BTC/USDT, ETH/USDT] # just one\n');
    expect((await run('config', 'set', 'models.ridge.penalty', '0.1')).status).toBe(0);
    expect(config()).toContain('models:\n  ridge:\n    penalty: 0.1\n');
    expect((await run('config', 'unset', 'models.ridge.penalty')).status).toBe(0);
  });

  it('says when the environment wins over the file', async () => {
    const { stdout } = await runCli(['config', 'set', 'trading.feeBps', '7'], {
      cwd,
      environment: { CRYPTO_TRADER_TRADING_FEE_BPS: '12' },
    });
    expect(stdout).toContain('In force is 12, from the environment, which wins over the file.');
  });

  it.each([
    ['trading.feBps', '7', 'Did you mean "trading.feeBps"?'],
    ['trading.feeBps', 'abc', 'expected a number (found "abc")'],
    ['trading.feeBps', '[1', 'is no value'],
    ['exchange.apiKey', 'x', 'There is no setting'],
  ])('refuses %s %s and leaves no trace', async (path, value, message) => {
    const { status, stderr } = await run('config', 'set', path, value);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(config()).toBe(FILE);
    expect(existsSync(join(cwd, 'config.yaml.check'))).toBe(false);
  });

  it('opens the editor that is set, and checks what it left', async () => {
    const edit = (editor: string) => runCli(['config', 'edit'], { cwd, environment: { EDITOR: editor } });
    expect((await edit('true')).stdout).toContain('config.yaml is valid.');
    writeFileSync(join(cwd, 'spoil.sh'), 'echo "trading: { feeBps: abc }" > "$1"\n');
    const { status, stderr } = await edit('sh spoil.sh');
    expect(status).toBe(1);
    expect(stderr).toContain('trading.feeBps');
    expect((await edit('/nonexistent/editor')).stderr).toContain('cannot be started');
    expect((await run('config', 'edit')).stderr).toContain('neither VISUAL nor EDITOR');
  });
});

it('completes commands, subcommands and options in bash', async () => {
  const { stdout } = await run('completion', 'bash');
  writeFileSync(join(cwd, 'completion.bash'), stdout);
  const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
    const line = `COMP_WORDS=(crypto-trader ${words.map((word) => `'${word}'`).join(' ')})`;
    const script = `source completion.bash; ${line}; COMP_CWORD=${words.length}; _crypto_trader; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await runCommand('bash', ['-c', script], { cwd })).stdout.trim().split('\n');
  };
  expect(await complete('back')).toEqual(['backtest']);
  expect(await complete('models', 'ro')).toEqual(['rollback']);
  expect(await complete('backtest', '--walk')).toEqual(['--walk-forward']);
  expect(await complete('tune', '--sampl')).toEqual(['--sampler']);
  expect(await complete('fetch', '--log-l')).toEqual(['--log-level']);
  writeFileSync(join(cwd, 'mine.csv'), '');
  expect(await complete('fetch', '--csv', 'mi')).toEqual(['mine.csv']);
});

it.each(['zsh', 'fish'])('writes a completion script for %s that names every command', async (shell) => {
  const { stdout } = await run('completion', shell);
  for (const name of ['backtest', 'paper', 'tune', 'walk-forward']) expect(stdout).toContain(name);
  expect((await run('completion', 'tcsh')).status).toBe(2);
});
