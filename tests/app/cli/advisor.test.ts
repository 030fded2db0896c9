import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startDouble } from '../../support/llm/server.ts';

const KEY = 'sk-loopback-0123456789';

test('a question is answered from the project, with its calls and its cost, and a key is never shown', async () => {
  const cwd = temporaryFolder();
  const startMs = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 100 * 3_600_000;
  const candles = walk(100, { startMs });
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'test', synthetic: false });
  const close = candles.close[99];
  const asksFor = { name: 'market', input: { symbol: 'BTC/USDT', window: '1d', asOf: 'now' } };
  const double = await startDouble('anthropic', ({ toolResults, headers }) =>
    toolResults === 0
      ? { calls: [asksFor] }
      : { text: `It closed at ${close}. My key is ${String(headers['x-api-key'])} and 987.65 follows.` },
  );
  writeFileSync(
    join(cwd, 'config.yaml'),
    `advisor: { providers: { claude: { kind: anthropic, model: double, url: "${double.url}", price: { input: 3, output: 15 } } } }`,
  );
  const environment = { ANTHROPIC_API_KEY: KEY };
  const said = await runCli(['advisor', 'chat', 'How did BTC close?'], { cwd, environment });
  expect(said.stdout + said.stderr).not.toContain(KEY);
  expect(said.stdout).toContain(`It closed at ${close}[1]. My key is [redacted]`);
  expect(said.stdout).toContain('987.65[?] follows.');
  expect(said.stdout).toContain('[1] market BTC/USDT 1d now');
  // 200 tokens in at 3 USD and 40 out at 15 USD a million.
  expect(said.stdout).toContain(
    'claude (double): 1 figure cited; 0.0012 USD, 200 tokens in, 40 out, 2 calls.',
  );
  const json = await runCli(['advisor', 'chat', '--json', 'Again?'], { cwd, environment });
  expect(JSON.parse(json.stdout)).toMatchObject({
    provider: 'claude',
    complete: true,
    calls: [{ number: 1, tool: 'market', result: { symbol: 'BTC/USDT', bars: 24, close } }],
    figures: { cited: 1, unsupported: [expect.any(String), '987.65'] },
  });
  const providers = await runCli(['advisor', 'providers', '--json'], { cwd, environment });
  expect(JSON.parse(providers.stdout)).toMatchObject({
    providers: [
      { provider: 'claude', ready: true, model: 'double' },
      { provider: 'openai', ready: false },
      { provider: 'google', ready: false },
    ],
    today: { tokens: 480, calls: 4, usdPerDay: 1 },
  });
  const without = await runCli(['advisor', 'chat', 'Hm?'], { cwd });
  expect(without.status).toBe(1);
  expect(without.stderr).toContain('No language model is set up.');
  expect(without.stderr).toContain('claude: ANTHROPIC_API_KEY is not set');
});

test('votes are kept before they are shown, paid for once, and made again from their recording', async () => {
  const cwd = temporaryFolder();
  const startMs = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2400 * 3_600_000;
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  const candles = walk(2400, { startMs });
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'test', synthetic: true });
  const double = await startDouble('google', () => ({
    text: '{"action":"HOLD","confidence":0.7,"reasons":[{"fact":"market_7d.close","supports":"HOLD"}]}',
  }));
  writeFileSync(
    join(cwd, 'config.yaml'),
    `market: { symbols: [BTC/USDT] }
advisor: { providers: { google: { kind: google, model: double, url: "${double.url}", price: { input: 1, output: 4 } } } }`,
  );
  const environment = { GOOGLE_GENERATIVE_AI_API_KEY: KEY };
  const first = await runCli(['advisor', 'signal', '--json'], { cwd, environment });
  const close = Number(candles.close[2399].toPrecision(6));
  expect(JSON.parse(first.stdout)).toMatchObject({
    weightInEnsemble: 0,
    symbols: [
      {
        ...{ symbol: 'BTC/USDT', contaminated: false, synthetic: true },
        consensus: { action: 'HOLD', lean: 0, disagreement: 0, votes: 1, abstained: 0 },
        votes: [
          {
            ...{ provider: 'google', action: 'HOLD', confidence: 0.7, fromRecord: false },
            reasons: [{ fact: 'market_7d.close', value: close, supports: 'HOLD' }],
          },
        ],
      },
    ],
  });
  expect(double.requests[0].said).toContain('features.values.rsi_14: ');
  const again = await runCli(['advisor', 'signal'], { cwd, environment });
  expect(again.stdout).toContain('on record');
  expect(double.requests.length).toBe(1);
  const [, id = ''] = /"id": "(\w+)"/.exec(first.stdout) ?? [];
  // The recording needs neither key nor network.
  const replayed = await runCli(['advisor', 'log', '--replay', id], { cwd });
  expect(replayed.stdout).toContain(`${id}: HOLD 0.7, the same again from its recording of 1 answer.`);
});
