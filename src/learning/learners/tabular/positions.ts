/**
 * Positions from probabilities of a rise: entered when the probability is `entryEdge` or further from one half,
 * kept while it stays on that side of one half, so that noise around it costs no fees. The confidence is
 * |2p - 1|. Rows without a probability have no opinion. `before` is what was held before the first row, `held` after the last.
 */
export function followProbability(
  probabilityUp: Float64Array,
  entryEdge: number,
  before = 0,
): { readonly position: Float64Array; readonly confidence: Float64Array; readonly held: number } {
  let held = before;
  const position = new Float64Array(probabilityUp.length);
  const confidence = new Float64Array(probabilityUp.length);
  for (let row = 0; row < position.length; row++) {
    const probability = probabilityUp[row];
    const distance = probability - 0.5;
    if (distance !== 0 && Math.abs(distance) >= entryEdge) held = distance > 0 ? 1 : -1;
    else if (held * distance <= 0) held = 0;
    position[row] = probability === probability ? held : NaN;
    confidence[row] = Math.abs(2 * probability - 1);
  }
  return { position, confidence, held };
}
