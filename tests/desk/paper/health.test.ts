import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../../../src/core/foundation/log.ts';
import { type Health, readHealth, sessionFault } from '../../../src/desk/paper/health.ts';
import { createHeartbeat } from '../../../src/desk/paper/heartbeat.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1, 12);

const well: Health = {
  version: 1,
  pid: 7,
  atMs: NOW - 1000,
  nextMs: NOW + 60_000,
  state: 'running',
  sinceMs: NOW - HOUR,
  residentMb: 200,
};
const running = {
  session: { timeframe: '1h' },
  last: { timeMs: NOW - HOUR },
  pid: 7,
  health: well,
} as const;

describe('a session', () => {
  it.each([
    ['runs and sees its bars', {}, undefined],
    ['has not seen its first bar yet', { last: undefined }, undefined],
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
    ['gets no bars', { last: { timeMs: NOW - 6 * HOUR } }, 'no bar for 5.0 h'],
  ] as const)('%s', (_, change, fault) => {
    expect(sessionFault({ ...running, ...change }, NOW)).toBe(fault);
  });
});

it('a session writes its signs of life ten seconds apart, and at once when something changes', async () => {
  const folder = temporaryFolder();
  let nowMs = NOW;
  const heart = createHeartbeat(folder, { intervalMs: 60_000, now: () => nowMs, log: silentLog });
  const seen = async (): Promise<unknown> => {
    const { pid: _, residentMb: __, ...rest } = (await readHealth(folder)) ?? well;
    return rest;
  };
  const fresh = { kind: 'fresh' } as const;
  heart.beat(fresh, undefined);
  nowMs += 5_000;
  heart.beat(fresh, undefined);
  nowMs += 1_000;
  heart.beat({ kind: 'stale', sinceMs: nowMs - 500, reason: 'no network', retryInMs: 4_000 }, NOW);
  await heart.stop(NOW);
  expect(await seen()).toEqual({
    version: 1,
    state: 'stopped',
    atMs: nowMs,
    nextMs: nowMs,
    sinceMs: nowMs,
    lastBarMs: NOW,
  });
  expect(readdirSync(folder)).toEqual(['health.json']);
});

it('a health file that cannot be written ends nothing, and is said once', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'health.json'));
  writeFileSync(join(folder, 'health.json', 'in the way'), '');
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void said.push(message) };
  const heart = createHeartbeat(folder, { intervalMs: 60_000, now: () => NOW, log });
  heart.beat({ kind: 'fresh' }, undefined);
  heart.beat({ kind: 'fresh' }, NOW);
  await heart.stop(NOW);
  expect(said).toHaveLength(1);
  expect(await readHealth(folder)).toBeUndefined();
});
