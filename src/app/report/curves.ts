/** Curves thinned for a screen: `points` rows at most, each the last (or the lowest) value of its stretch. */
export function thin(
  values: ArrayLike<number>,
  points: number,
  { keep = 'last', digits = 7 }: { readonly keep?: 'last' | 'lowest'; readonly digits?: number } = {},
): (number | null)[] {
  const stretch = Math.max(1, Math.ceil(values.length / points));
  const thinned: (number | null)[] = [];
  for (let from = 0; from < values.length; from += stretch) {
    const until = Math.min(from + stretch, values.length);
    let value = values[until - 1];
    if (keep === 'lowest') for (let i = from; i < until; i++) value = Math.min(value, values[i]);
    thinned.push(Number.isFinite(value) ? Number(value.toPrecision(digits)) : null);
  }
  return thinned;
}
