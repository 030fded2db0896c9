import { describe, expect, it } from 'vitest';
import { formatTime, parseTime } from '../../../src/core/foundation/time.ts';

describe('dates', () => {
  it.each([
    ['2024-02-15', '2024-02-15T00:00:00.000Z'],
    ['2024-02-15 06:30', '2024-02-15T06:30:00.000Z'],
    ['2024-02-15T06:30:15', '2024-02-15T06:30:15.000Z'],
    ['2024-02-15T06:30:15Z', '2024-02-15T06:30:15.000Z'],
    ['2024-02-15T06:30:00+02:00', '2024-02-15T04:30:00.000Z'],
  ])('%s is %s whatever the time zone of the machine', (text, iso) => {
    expect(formatTime(parseTime(text))).toBe(iso);
  });

  it.each(['', 'yesterday', '2024', '2024-13-01', '2024-02-30', '2023-02-29', '15.02.2024'])(
    '%j is refused',
    (text) => {
      expect(() => parseTime(text)).toThrow(/as a date/);
    },
  );
});
