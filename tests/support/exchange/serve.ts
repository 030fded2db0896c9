import { parseArgs } from 'node:util';
import { FaultSchema } from './faults.ts';
import { pairsFromFolder } from './market.ts';
import { startExchange } from './server.ts';

/**
 * The loopback exchange as a process of its own: prints its URL, serves until it is killed.
 *
 *   node --import tsx tests/support/exchange/serve.ts --data ../shared/data/ohlcv/binance \
 *     --now 2026-02-13T00:00:00Z [--port 0] [--speed 60] [--latency-ms 20] [--faults '[{"kind":"rate-limit","every":7}]']
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    now: { type: 'string' },
    port: { type: 'string', default: '0' },
    speed: { type: 'string', default: '0' },
    'latency-ms': { type: 'string', default: '0' },
    faults: { type: 'string', default: '[]' },
  },
});

const nowMs = Date.parse(values.now ?? '');
if (values.data === undefined || Number.isNaN(nowMs)) {
  throw new Error('Give --data <folder with BASE-QUOTE/timeframe.csv.gz> and --now <ISO 8601 time>.');
}
const exchange = await startExchange({
  pairs: pairsFromFolder(values.data),
  nowMs,
  port: Number(values.port),
  speed: Number(values.speed),
  latencyMs: Number(values['latency-ms']),
  faults: FaultSchema.array().parse(JSON.parse(values.faults)),
});
process.stdout.write(`${exchange.url}\n`);
