import { describe, expect, it } from 'vitest';
import { pauseUntilDue } from '../../../src/desk/paper/due.ts';

const HOUR = 3_600_000;

describe('the next poll', () => {
  const last = { lastMs: 10 * HOUR, barMs: HOUR, random: () => 0.5 };
  it.each([
    ['a session without a bar: after the interval', { lastMs: undefined, nowMs: 0, vain: 0 }, 60_000],
    ['long before the close: after the interval', { nowMs: 11 * HOUR, vain: 0 }, 60_000],
    // 150 ms and half of 350 ms behind the close.
    ['ten seconds before it: a moment behind it', { nowMs: 12 * HOUR - 10_000, vain: 0 }, 10_325],
    ['due, and not there yet: soon', { nowMs: 12 * HOUR + 400, vain: 0 }, 500],
    ['due, and not there for the fourth time: later', { nowMs: 12 * HOUR + 4_000, vain: 3 }, 4_000],
    ['never published: after the interval', { nowMs: 14 * HOUR, vain: 1_000 }, 60_000],
  ])('%s', (_, at, waitMs) => {
    expect(pauseUntilDue({ intervalMs: 60_000, ...last, ...at })).toBe(waitMs);
  });
});
