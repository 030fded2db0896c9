/** Curves thinned for a screen: `points` rows at most, each the last (or the lowest) value of its stretch. */
export function thin(values: Float64Array, points: number, keep: 'last' | 'lowest' = 'last'): number[] {
  const stretch = Math.ceil(values.length / points);
  const thinned: number[] = [];
  for (let from = 0; from < values.length; from += stretch) {
    const part = values.subarray(from, from + stretch);
    const value = keep === 'last' ? part[part.length - 1] : part.reduce((a, b) => Math.min(a, b));
    thinned.push(Number(value.toPrecision(8)));
  }
  return thinned;
}
