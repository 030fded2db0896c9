const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * A curve as `rows` lines of block characters, `width` wide, top line first. Values are averaged into columns
 * where there are more than fit; the lowest value, or that of `range`, still shows one eighth of a block.
 */
export function sparkline(
  values: readonly number[],
  width: number,
  rows: number,
  scale?: { readonly low: number; readonly high: number },
): readonly string[] {
  if (values.length === 0 || width <= 0 || rows <= 0) return [];
  const columns = Math.min(width, values.length);
  const heights = Array.from({ length: columns }, (_, c) => {
    const from = Math.floor((c * values.length) / columns);
    const to = Math.floor(((c + 1) * values.length) / columns);
    return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  });
  const low = scale?.low ?? Math.min(...heights);
  const range = (scale?.high ?? Math.max(...heights)) - low;
  const levels = heights.map((height) =>
    range === 0 ? 1 : 1 + Math.round(((height - low) / range) * (8 * rows - 1)),
  );
  return Array.from({ length: rows }, (_, r) => {
    const below = 8 * (rows - 1 - r);
    return levels.map((level) => EIGHTHS[Math.max(0, Math.min(8, level - below))]).join('');
  });
}
