import { describe, expect, test } from 'vitest';
import { curveLines, curvesOfCsv, printCurves } from '../../../src/app/cli/curve-lines.ts';

/** Up from 100 to 200, down to 50, for the ensemble; flat at 125 for the benchmark. */
const path = Array.from({ length: 400 }, (_, i) => (i < 200 ? 100 + i / 2 : 200 - 0.75 * (i - 199)));
const curves = {
  initialBalance: 100,
  ensemble: path,
  benchmark: path.map(() => 125),
  benchmarkName: 'buy-and-hold',
};

describe('curves on a terminal', () => {
  test('stand on one scale: what ends lower is drawn lower', () => {
    const [top, ensemble, benchmark, drawdown] = curveLines(curves, 80);
    // 80 columns less "buy-and-hold", two spaces, and 22 for the note.
    const across = 80 - 14 - 22;
    // 125 is the middle of 50 .. 200.
    expect(benchmark).toBe(`buy-and-hold  ${'▅'.repeat(across)}  100 -> 125`);
    expect(ensemble).toMatch(/^ensemble {6}\S{44} {2}100 -> 50\.00$/);
    // Of sixteen levels the start, 100, has the sixth, and the end, 50, the first.
    expect([ensemble.at(14), ensemble.at(14 + across - 1)]).toEqual(['▆', '▁']);
    expect(top.trim()).toMatch(/^▁.*█.*▁$/);
    // From 199.5 down to 50.
    expect(drawdown).toMatch(/^drawdown {6}▁+.*█ {2}deepest -74\.9 %$/);
  });

  test.each([80, 120])('never reach beyond column %i', (width) => {
    const lines = curveLines(curves, width);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines).toHaveLength(width >= 110 ? 5 : 4);
    expect(lines.at(-1)).toContain('deepest -74.9 %');
  });

  test('are drawn on a terminal only, never on a pipe', () => {
    const drawn: string[] = [];
    const out = { frame: (text: string) => void drawn.push(text) };
    printCurves(out, curves, { isTTY: false, columns: 80 });
    expect(drawn).toEqual([]);
    printCurves(out, curves, { isTTY: true, columns: 80 });
    expect(drawn).toHaveLength(1);
  });

  test('are left out where there is little to draw, or no room', () => {
    expect(curveLines({ ...curves, ensemble: [1, 2], benchmark: [1, 2] }, 120)).toEqual([]);
    expect(curveLines(curves, 40)).toEqual([]);
  });

  test('are read from the table that a kept backtest has', () => {
    const text = 'time,ensemble,"a,b",buy-and-hold,exposure\n2026,1.5,2,3,0.1\n2027,1.25,2,4,0.2\n';
    expect(curvesOfCsv(text, 1, 'buy-and-hold')).toEqual({
      initialBalance: 1,
      ensemble: [1.5, 1.25],
      benchmark: [3, 4],
      benchmarkName: 'buy-and-hold',
    });
  });
});
