import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentName, loadConfig } from '../../../src/app/config/load.ts';
import { UserError } from '../../../src/core/foundation/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, environment: Record<string, string> = {}, flags: Record<string, unknown> = {}) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file, fileRequired: true, environment, flags });
}

function problem(yaml: string, environment: Record<string, string> = {}): string {
  try {
    load(yaml, environment);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'no problem';
}

describe('settings resolve', () => {
  const yaml = 'seed: 1\ntrading:\n  feeBps: 7\n';
  const origin = (loaded: ReturnType<typeof load>, path: string) =>
    loaded.settings.find((setting) => setting.path === path);

  it('from flag, then environment, then file, then default', () => {
    const environment = { CRYPTO_TRADER_SEED: '2', CRYPTO_TRADER_TRADING_FEE_BPS: '8' };
    const loaded = load(yaml, environment, { seed: 3 });
    expect(origin(loaded, 'seed')).toEqual({ path: 'seed', value: 3, origin: 'flag' });
    expect(origin(loaded, 'trading.feeBps')).toEqual({
      path: 'trading.feeBps',
      value: 8,
      origin: 'environment',
    });
    expect(origin(load(yaml), 'trading.feeBps')?.origin).toBe('file');
    expect(origin(load(yaml), 'trading.slippageBps')?.origin).toBe('default');
  });

  it('with lists from the environment', () => {
    const { config } = load('', { CRYPTO_TRADER_MARKET_SYMBOLS: 'btc-usdt, ETH/USDT' });
    expect(config.market.symbols).toEqual(['BTC/USDT', 'ETH/USDT']);
  });

  it.each(['', '  '])('as not set where a variable is set to %j', (nothing) => {
    expect(load(yaml, { CRYPTO_TRADER_SEED: nothing }).config.seed).toBe(1);
  });

  it.each([
    ['CRYPTO_TRADER_DATA_DIR', '@data', 'dataDir'],
    ['CRYPTO_TRADER_DATA_DIR', '007', 'dataDir'],
    ['CRYPTO_TRADER_LOG_DIR', ': x', 'logDir'],
    ['CRYPTO_TRADER_LOG_DIR', '[1', 'logDir'],
  ] as const)('as text, whatever YAML would read, where a setting is text: %s=%s', (name, value, setting) => {
    expect(load('', { [name]: value }).config[setting]).toBe(value);
  });

  it('as numbers and switches where a setting is one', () => {
    const { config } = load('', {
      CRYPTO_TRADER_TRADING_FEE_BPS: '2.5',
      CRYPTO_TRADER_TRADING_ALLOW_SHORT: 'true',
      CRYPTO_TRADER_MODELS: '{ridge: {l2: 1}}',
    });
    expect(config.trading).toMatchObject({ feeBps: 2.5, allowShort: true });
    expect(config.models).toEqual({ ridge: { l2: 1 } });
  });

  it('to the defaults when the file is empty, holds only comments or was not asked for and is absent', () => {
    expect(load('').config.seed).toBe(42);
    expect(load('# nothing\n').config.seed).toBe(42);
    const absent = { file: join(folder, 'absent.yaml'), environment: {}, flags: {} };
    expect(loadConfig({ ...absent, fileRequired: false }).config.seed).toBe(42);
    expect(() => loadConfig({ ...absent, fileRequired: true })).toThrow(/Cannot read the configuration/);
  });
});

describe('a wrong configuration names the line and what was meant', () => {
  it.each([
    ['seed: 1\ntradng:\n  feeBps: 5\n', 'config.yaml:2: unknown key "tradng". Did you mean "trading"?'],
    [
      'trading:\n  slippageBps: 1\n  feBps: 5\n',
      'config.yaml:3: unknown key "feBps" in "trading". Did you mean "feeBps"?',
    ],
    ['trading:\n  feeBps: -5\n', 'config.yaml:2: "trading.feeBps": expected at least 0 (found -5)'],
    [
      'market:\n  symbols:\n    - BTC/USDT\n    - ETHUSDT\n',
      'config.yaml:4: "market.symbols.1": Cannot read symbol "ETHUSDT"',
    ],
    ['market: { timeframe: 7h }\n', 'config.yaml:1: "market.timeframe": Unknown timeframe "7h"'],
    ['market:\n  since: 2024-02-30\n', 'config.yaml:2: "market.since": Cannot read "2024-02-30" as a date'],
    ['seed: 1\nseed: 2\n', 'config.yaml:2: not valid YAML: duplicated mapping key'],
    ['- 1\n', 'config.yaml holds a list, expected keys'],
  ])('%j', (yaml, message) => {
    expect(problem(yaml)).toContain(message);
  });

  it('and names the variable, with what stands in it, when the environment is wrong', () => {
    expect(problem('trading: { feeBps: 10 }', { CRYPTO_TRADER_TRADING_FEE_BPS: 'abc' })).toContain(
      'CRYPTO_TRADER_TRADING_FEE_BPS: "trading.feeBps": expected a number (found "abc")',
    );
    expect(problem('', { CRYPTO_TRADER_MARKET_SYMBOLS: 'BTC/USDT,&' })).toContain(
      'CRYPTO_TRADER_MARKET_SYMBOLS: "market.symbols.1"',
    );
    expect(problem('', { CRYPTO_TRADER_MODELS: '[1' })).toContain('CRYPTO_TRADER_MODELS:1: not valid YAML');
    expect(problem('', { CRYPTO_TRADER_TRADING_FEEBPS: '5' })).toContain('Unknown setting');
  });
});

it('environment names are the path in upper snake case', () => {
  expect(environmentName('exchange.baseUrl')).toBe('CRYPTO_TRADER_EXCHANGE_BASE_URL');
});
