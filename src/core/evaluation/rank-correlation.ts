/** Spearman's rank correlation, ties at their mean rank; `undefined` when one side never varies. */
export function rankCorrelation(xs: ArrayLike<number>, ys: ArrayLike<number>): number | undefined {
  const a = ranks(xs);
  const b = ranks(ys);
  const middle = (xs.length + 1) / 2;
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += (a[i] - middle) * (b[i] - middle);
    squaresA += (a[i] - middle) ** 2;
    squaresB += (b[i] - middle) ** 2;
  }
  return squaresA > 0 && squaresB > 0 ? product / Math.sqrt(squaresA * squaresB) : undefined;
}

/** Ranks from 1. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const rank = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) rank[order[i]] = (from + to + 1) / 2;
    from = to;
  }
  return rank;
}
