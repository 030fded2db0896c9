import { expect, it } from 'vitest';
import { unansweredAlarms } from '../../../src/app/workflows/retrain.ts';
import type { RunFolder } from '../../../src/learning/training/run-folder.ts';
import type { WatchedStream } from '../../../src/learning/validation/drift.ts';

const run = (runId: string, untilMs: number, exchange = 'binance') =>
  ({ runId, plan: { exchange, timeframe: '1h', validateUntilMs: 100, untilMs } }) as unknown as RunFolder;

const stream = (model: string, ...times: number[]): WatchedStream => ({
  model,
  symbol: 'BTC/USDT',
  stream: 'direction',
  samples: 50,
  meanBefore: 0.4,
  meanAfter: 0.6,
  alarms: times.map((timeMs) => ({ detector: 'adwin', timeMs })),
});

it.each([
  ['alarms behind the validation count', [], [150, 250]],
  ['those that a training of the same market has seen do not', [run('worse', 200)], [250]],
  ['a training of another market answers nothing', [run('other', 200, 'kraken')], [150, 250]],
  ['no alarm is left when all were seen', [run('worse', 200), run('later', 250)], []],
])('%s', (_, others, times) => {
  const champion = run('champion', 300);
  const found = unansweredAlarms([stream('gru', 90, 100, 150), stream('lstm', 250)], champion, [
    champion,
    ...others,
  ]);
  expect(found.map(({ timeMs }) => timeMs)).toEqual(times);
});
