/** `undefined` for no values. */
export function mean(values: ArrayLike<number>): number | undefined {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? undefined : sum / values.length;
}

/** Sum of squared distances from the mean, over `values.length - freedom`. `undefined` where that is nothing. */
export function variance(values: ArrayLike<number>, freedom: 0 | 1 = 1): number | undefined {
  const centre = mean(values);
  if (centre === undefined || values.length <= freedom) return undefined;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - centre) ** 2;
  return squares / (values.length - freedom);
}

/** Sample standard deviation (n - 1). `undefined` below two values. */
export function deviation(sample: ArrayLike<number>): number | undefined {
  const squares = variance(sample);
  return squares === undefined ? undefined : Math.sqrt(squares);
}
