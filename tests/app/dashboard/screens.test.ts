import { describe, expect, it } from 'vitest';
import { START } from '../../../src/app/dashboard/controls.ts';
import { renderFrame } from '../../../src/app/dashboard/frame.tsx';
import { spokenView } from '../../../src/app/dashboard/spoken.ts';
import { VIEWS } from '../../../src/app/dashboard/views.ts';
import { busy, empty } from './sample.ts';

const SIZES = [
  [80, 23],
  [120, 39],
  [200, 49],
] as const;

/** Looked at by people when they change. */
describe.each(SIZES)('screens of %i x %i', (columns, rows) => {
  const frames = VIEWS.map(({ id, panes }) =>
    renderFrame(busy, { columns, rows }, { controls: { ...START, view: id, focus: panes[0].id } }),
  );
  it('are those on record', async () => {
    await expect(`${frames.join('\n\n\n')}\n`).toMatchFileSnapshot(`screens/${columns}x${rows}.txt`);
  });
  it('fit', () => {
    for (const frame of frames) {
      const lines = frame.split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });
});

describe.each(VIEWS.map(({ id }) => id))('the view %s', (id) => {
  const controls = { ...START, view: id };
  it('read aloud has no drawings, and is the one on record', async () => {
    const text = spokenView(busy, controls);
    expect(text).not.toMatch(/[─│┊┼█▒░▁▂▃▄▅▆▇▀▲▼●]/);
    await expect(`${text}\n`).toMatchFileSnapshot(`screens/spoken-${id}.txt`);
  });
  it('says what is missing, and how to get it, where there is nothing yet', () => {
    expect(spokenView(empty, controls)).toMatch(/run `crypto-trader|No |Reading|Nothing|Choose|empty/);
  });
});
