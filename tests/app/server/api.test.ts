import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../src/app/server/app.ts';
import type { Jobs } from '../../../src/app/server/jobs/jobs.ts';
import { createLive } from '../../../src/app/server/live.ts';
import { NotFound } from '../../../src/app/server/answers.ts';
import { createSettings, jsonAnswers } from '../../../src/app/server/served.ts';
import { createRedactor } from '../../../src/app/config/redact.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pick, walk } from '../../support/candles.ts';
import { add } from '../../learning/training/runs.ts';

/** How many inputs a route is tried with: `API_CASES=1000` for a release. */
const CASES = Number(process.env['API_CASES'] ?? 60);
const HOST = '127.0.0.1:1';

const Operation = z.looseObject({
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean().optional() }))
    .default([]),
  requestBody: z.unknown().optional(),
  summary: z.string(),
  responses: z.record(z.string(), z.unknown()),
});
const OpenApi = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
});

const failures: unknown[] = [];
let folder: string;
let app: ReturnType<typeof createApp>;
let openApi: z.output<typeof OpenApi>;
const call = (path: string, options: RequestInit = {}): Promise<Response> =>
  Promise.resolve(
    app.fetch(
      new Request(`http://${HOST}${path}`, {
        ...options,
        headers: { host: HOST, authorization: 'Bearer right', 'content-type': 'application/json' },
      }),
    ),
  );

/** A queue that starts nothing. */
const noJobs: Jobs = {
  start: async ({ kind }) => ({
    id: 'one',
    kind,
    arguments: [],
    state: 'queued',
    createdAt: '2026-01-01T00:00:00.000Z',
    progress: undefined,
    line: undefined,
  }),
  list: () => [],
  find: (id) => {
    throw new NotFound(`There is no job "${id}".`, { hint: '' });
  },
  document: async (id) => noJobs.find(id),
  lines: async () => ({ text: '', end: 0 }),
  cancel: async (id) => noJobs.find(id),
  onChange: () => () => undefined,
  close: () => undefined,
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'api-'));
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    `dataDir: ${folder}/data\ncheckpointDir: ${folder}/checkpoints\nlogDir: ${folder}/logs\n`,
  );
  const store = openStore(join(folder, 'data'));
  const startMs = Date.UTC(2025, 0, 15);
  await add(
    store,
    'BTC/USDT',
    pick(walk(1000, { startMs }), (row) => row < 100 || row >= 103),
  );
  const redact = createRedactor({});
  app = createApp(
    {
      settings: createSettings({ file, fileRequired: true, environment: {}, flags: {} }),
      settingsFile: file,
      store,
      log: { debug() {}, info() {}, warn() {}, error: (fields) => void failures.push(fields) },
      startedAtMs: 0,
      ask: { document: async () => ({}), forget: () => undefined },
      converse: () => new Response('', { headers: { 'Content-Type': 'text/event-stream' } }),
      jobs: noJobs,
      live: createLive([], redact),
      secretsChanged: () => undefined,
      json: jsonAnswers(redact),
    },
    { hosts: [HOST], secret: 'right', schemes: ['http'] },
    undefined,
  );
  openApi = OpenApi.parse(await (await call('/api/openapi.json')).json());
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the OpenAPI document', () => {
  it('has every route, each with a summary and what it answers when it refuses', () => {
    expect(Object.keys(openApi.paths).sort()).toEqual([
      '/api/advisor/answers',
      '/api/advisor/chat',
      '/api/advisor/providers',
      '/api/advisor/votes',
      '/api/backtests',
      '/api/backtests/{id}',
      '/api/backtests/{id}/compare/{other}',
      '/api/backtests/{id}/equity',
      '/api/candles',
      '/api/datasets',
      '/api/health',
      '/api/jobs',
      '/api/jobs/{id}',
      '/api/jobs/{id}/cancel',
      '/api/jobs/{id}/lines',
      '/api/jobs/{id}/result',
      '/api/live',
      '/api/live-sessions',
      '/api/models',
      '/api/models/{model}',
      '/api/overview',
      '/api/paper',
      '/api/paper/{name}',
      '/api/paper/{name}/control',
      '/api/paper/{name}/orders',
      '/api/paper/{name}/orders/{number}',
      '/api/paper/{name}/parity',
      '/api/predictions',
      '/api/runs',
      '/api/runs/{run}/activate',
      '/api/runs/{run}/delete',
      '/api/runs/{run}/restore',
      '/api/runs/{run}/training',
      '/api/secrets',
      '/api/secrets/{name}',
      '/api/settings',
      '/api/settings/{path}',
      '/api/texts',
      '/api/texts/score',
      '/api/texts/scorers',
      '/api/texts/sources',
    ]);
    for (const operations of Object.values(openApi.paths))
      for (const { summary, responses } of Object.values(operations)) {
        expect(summary.length).toBeGreaterThan(10);
        expect(responses).toHaveProperty('default');
      }
  });

  it('says which parameters of which kinds there are', () => {
    const { parameters } = openApi.paths['/api/candles']['get'];
    expect(parameters.map(({ name, in: where, required }) => [name, where, required ?? false])).toEqual([
      ['exchange', 'query', true],
      ['symbol', 'query', true],
      ['timeframe', 'query', true],
      ['since', 'query', false],
      ['until', 'query', false],
      ['limit', 'query', false],
    ]);
    expect(JSON.stringify(openApi.paths['/api/jobs']['post'].requestBody)).toContain('walkForward');
  });
});

describe('whatever comes in', () => {
  it(`is answered without a fault of the server: ${CASES} inputs a route`, async () => {
    const likely = [
      'BTC/USDT',
      'ETH-USDT',
      '1h',
      '1d',
      'binance',
      '2025-01-20',
      '0',
      '1',
      '-1',
      '1e308',
      'NaN',
      '',
      '.',
      '..',
    ];
    const hostile = [
      '../../etc/passwd',
      '%00',
      '<img src=x>',
      '__proto__',
      'constructor',
      '\u202e',
      '9'.repeat(400),
      '--x',
    ];
    const text = fc.oneof(
      fc.constantFrom(...likely, ...hostile),
      fc.string({ unit: 'binary', maxLength: 40 }).map((one) => Buffer.from(one).toString()),
    );
    const kinds = fc.constantFrom(
      'fetch',
      'train',
      'backtest',
      'tune',
      'signals',
      'paper',
      'portfolio',
      'audit',
    );
    const body = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            kind: kinds,
            symbols: fc.array(text),
            models: fc.array(text),
            action: text,
            run: text,
            since: text,
          },
          { requiredKeys: ['kind'] },
        )
        .map((value) => JSON.stringify(value)),
      fc.record({ value: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc.constantFrom('{"mode":"pause"}', '{"mode":1}', '{', ''),
    );
    for (const [path, operations] of Object.entries(openApi.paths)) {
      // It answers for as long as somebody listens; secrets are written into the working folder.
      if (path === '/api/live' || path === '/api/secrets/{name}') continue;
      for (const [method, { parameters, requestBody }] of Object.entries(operations)) {
        await fc.assert(
          fc.asyncProperty(fc.array(text, { minLength: 8, maxLength: 8 }), body, async (values, sent) => {
            let next = 0;
            const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(values[next++] || 'x'));
            const query = new URLSearchParams(
              parameters
                .filter((one) => one.in === 'query')
                .map(({ name }): [string, string] => [name, values[next++ % 8]]),
            );
            const answer = await call(`${filled}?${query.toString()}`, {
              method: method.toUpperCase(),
              ...(requestBody !== undefined && { body: sent }),
            });
            expect([path, answer.status < 500, failures]).toEqual([path, true, []]);
            await answer.arrayBuffer();
          }),
          { numRuns: CASES, seed: 4711 },
        );
      }
    }
  });
});

describe('candles', () => {
  it('are columns of the stored bars, the newest of a range, and cost nothing when they have not changed', async () => {
    const of = 'exchange=binance&symbol=btc-usdt&timeframe=1h';
    const answer = await call(`/api/candles?${of}&until=2025-01-16&limit=3`);
    const stored = walk(1000, { startMs: Date.UTC(2025, 0, 15) });
    expect(await answer.json()).toMatchObject({
      symbol: 'BTC/USDT',
      synthetic: false,
      time: [45, 46, 47].map((row) => stored.time[row]),
      close: [45, 46, 47].map((row) => stored.close[row]),
    });
    const etag = answer.headers.get('etag') ?? '';
    const again = await app.fetch(
      new Request(`http://${HOST}/api/candles?${of}&until=2025-01-16&limit=3`, {
        headers: { host: HOST, authorization: 'Bearer right', 'if-none-match': etag },
      }),
    );
    expect(again.status).toBe(304);
  });

  it('have gaps, and months that are whole or not', async () => {
    const { datasets } = z
      .object({ datasets: z.array(z.looseObject({})) })
      .parse(await (await call('/api/datasets')).json());
    // 17 days of January and 24 hours each, and what is left of 1000 hours; three bars are missing.
    expect(datasets).toMatchObject([
      {
        rows: 997,
        gaps: [{ from: '2025-01-19T04:00:00.000Z', bars: 3 }],
        months: [
          { month: '2025-01', rows: 405, bars: 408 },
          { month: '2025-02', rows: 592, bars: 592 },
        ],
      },
    ]);
  });
});
