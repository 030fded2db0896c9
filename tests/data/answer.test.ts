import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerOf } from '../../src/data/answer.ts';

async function serve(reply: string | undefined): Promise<string> {
  const server = createServer((_, response) => reply !== undefined && response.end(reply));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a signal that lives for months keeps nothing of the requests that were made under it', async () => {
  const url = await serve('good');
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const warned = (warning: Error): number => warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  // More at once than Node takes for a leak.
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => answerOf(url, { timeoutMs: 10_000, signal })),
  );
  expect(answers.map(({ body }) => body)).toEqual(Array<string>(20).fill('good'));
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  // Where Node keeps what AbortSignal.any derived: https://github.com/nodejs/node/issues/55351
  const kept = Object.getOwnPropertySymbols(signal)
    .filter(({ description }) => description === 'kDependantSignals')
    .map((symbol) => (Reflect.get(signal, symbol) as Set<unknown> | null)?.size);
  expect(kept.filter((size) => size !== undefined && size > 0)).toEqual([]);
});

test('a request that is under way ends with the reason of its signal, and one under a signal that was aborted is not sent', async () => {
  const url = await serve(undefined);
  const stop = new AbortController();
  const asked = answerOf(url, { timeoutMs: 60_000, signal: stop.signal });
  const reason = new Error('enough');
  setImmediate(() => stop.abort(reason));
  await expect(asked).rejects.toBe(reason);
  await expect(answerOf(url, { timeoutMs: 60_000, signal: stop.signal })).rejects.toBe(reason);
});
