/**
 * Positions from probabilities of a rise: entered when the probability is `entryEdge` or further from one half,
 * kept while it stays on that side of one half, so that noise around it costs no fees. The confidence is
 * |2p - 1|. Rows without a probability have no opinion.
 */
export function followProbability(
  probabilityUp: Float64Array,
  entryEdge: number,
): { readonly position: Float64Array; readonly confidence: Float64Array } {
  let held = 0;
  const position = probabilityUp.map((probability) => {
    if (Number.isNaN(probability)) return NaN;
    const distance = probability - 0.5;
    if (distance !== 0 && Math.abs(distance) >= entryEdge) held = Math.sign(distance);
    else if (held * distance <= 0) held = 0;
    return held;
  });
  return { position, confidence: probabilityUp.map((probability) => Math.abs(2 * probability - 1)) };
}
