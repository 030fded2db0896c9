import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Log, silentLog } from '../../../src/core/foundation/log.ts';
import { type Health, readHealth, sessionFault } from '../../../src/desk/session/health.ts';
import { createHeartbeat } from '../../../src/desk/session/heartbeat.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1, 12);

const well: Health = {
  version: 2,
  pid: 7,
  atMs: NOW - 1000,
  nextMs: NOW + 60_000,
  state: 'running',
  sinceMs: NOW - HOUR,
  equity: 100,
  positions: 0,
  unprotected: [],
  residentMb: 200,
};
const running = {
  barMs: HOUR,
  lastBarMs: NOW - HOUR,
  pid: 7,
  health: well,
} as const;

describe('a session', () => {
  it.each([
    ['runs and sees its bars', {}, undefined],
    ['has not seen its first bar yet', { lastBarMs: undefined }, undefined],
    ['writes no health file, as versions before did', { health: undefined }, undefined],
    ['is run by nobody', { pid: undefined }, 'no process runs it'],
    ['hangs', { health: { ...well, atMs: NOW - 300_000, nextMs: NOW - 1 } }, 'no sign of life for 5 min'],
    // Of the process before: its file says nothing about this one.
    ['was started again', { pid: 8, health: { ...well, nextMs: 0 } }, undefined],
    [
      'is not answered by its exchange',
      { health: { ...well, state: 'stale', sinceMs: NOW - 120_000, reason: 'no network' } },
      'feed stale for 2 min: no network',
    ],
    [
      'has an order in flight',
      { health: { ...well, state: 'stale', sinceMs: NOW - 30_000, reason: 'no answer' } },
      undefined,
    ],
    ['has stopped trading', { halt: 'BTC differs' }, 'trading is STOPPED: BTC differs'],
    [
      'holds what nothing protects',
      { unprotected: ['BTC/USDT'] },
      'UNPROTECTED: BTC/USDT (the exchange took no stop)',
    ],
    ['gets no bars', { lastBarMs: NOW - 6 * HOUR }, 'no bar for 5.0 h'],
  ] as const)('%s', (_, change, fault) => {
    expect(sessionFault({ ...running, ...change }, NOW)).toBe(fault);
  });
});

it('a session writes its signs of life ten seconds apart, and at once when something changes', async () => {
  const folder = temporaryFolder();
  let nowMs = NOW;
  const standing = { lastBarMs: NOW - HOUR, equity: 100, positions: 1, unprotected: ['BTC/USDT'] };
  const heart = createHeartbeat(folder, { standing: () => standing, now: () => nowMs, log: silentLog });
  const beat = (atS: number, state: Health['state'], more: object = {}): void => {
    nowMs = NOW + 1000 * atS;
    heart.beat({ state, nextInMs: 60_000, ...more });
  };
  /** State, and in seconds: when it was written, since when it is so, and when the next sign is due. */
  const finds = (expected: readonly unknown[]): Promise<void> =>
    vi.waitFor(async () => {
      const found = await readHealth(folder);
      const seconds = [found?.atMs, found?.sinceMs, found?.nextMs].map((ms = NaN) => (ms - NOW) / 1000);
      expect([found?.state, ...seconds, found?.reason]).toEqual(expected);
    });
  beat(0, 'running');
  await finds(['running', 0, 0, 60, undefined]);
  // Had this one been written, the next would not be.
  beat(5, 'running');
  beat(11, 'running');
  await finds(['running', 11, 0, 71, undefined]);
  beat(12, 'stale', { reason: 'no network', sinceMs: NOW + 11_500 });
  await finds(['stale', 12, 11.5, 72, 'no network']);
  standing.lastBarMs = NOW;
  beat(13, 'stale', { reason: 'no network' });
  await finds(['stale', 13, 11.5, 73, 'no network']);
  await heart.stop();
  await finds(['stopped', 13, 13, 13, undefined]);
  expect(await readHealth(folder)).toMatchObject({ version: 2, pid: process.pid, ...standing });
  expect(readdirSync(folder)).toEqual(['health.json']);
});

it('a health file that cannot be written ends nothing, and is said once', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'health.json'));
  writeFileSync(join(folder, 'health.json', 'in the way'), '');
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void said.push(message) };
  const standing = { equity: 100, positions: 0, unprotected: [] };
  const heart = createHeartbeat(folder, { standing: () => standing, now: () => NOW, log });
  heart.beat({ state: 'running', nextInMs: 0 });
  heart.beat({ state: 'stale', nextInMs: 0 });
  await heart.stop();
  expect(said).toHaveLength(1);
  expect(await readHealth(folder)).toBeUndefined();
});
