/*
 * Texts as sparse vectors: words and pairs of words, and runs of 3 to 5 characters within words, hashed into one space
 * (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"), weighted by (1 + ln count) * idf and of
 * length 1 (Salton and Buckley 1988).
 */

export const FEATURES = 2 ** 18;

/** Rows of features one behind another: row r has `index` and `value` from `start[r]` to `start[r + 1]`. */
export interface SparseRows {
  readonly start: Int32Array;
  readonly index: Int32Array;
  readonly value: Float32Array;
}

/** Counts of the features of each text; the values are 1 + ln count. */
export function countFeatures(texts: readonly string[]): SparseRows {
  const start = new Int32Array(texts.length + 1);
  const index: number[] = [];
  const value: number[] = [];
  for (const [row, text] of texts.entries()) {
    const counts = new Map<number, number>();
    for (const feature of featuresOf(text)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    for (const [feature, count] of [...counts].sort(([a], [b]) => a - b)) {
      index.push(feature);
      value.push(1 + Math.log(count));
    }
    start[row + 1] = index.length;
  }
  return { start, index: Int32Array.from(index), value: Float32Array.from(value) };
}

/** ln((1 + rows) / (1 + rows with the feature)) + 1. */
export function idfOf({ start, index }: SparseRows): Float32Array {
  const rows = start.length - 1;
  const having = new Int32Array(FEATURES);
  for (const feature of index) having[feature]++;
  return Float32Array.from(having, (count) => Math.log((1 + rows) / (1 + count)) + 1);
}

/** Weighted by `idf`, each row of length 1. */
export function weighted({ start, index, value }: SparseRows, idf: Float32Array): SparseRows {
  const scaled = new Float32Array(value.length);
  for (let row = 0; row + 1 < start.length; row++) {
    let squares = 0;
    for (let k = start[row]; k < start[row + 1]; k++) {
      scaled[k] = value[k] * idf[index[k]];
      squares += scaled[k] ** 2;
    }
    const length = Math.sqrt(squares) || 1;
    for (let k = start[row]; k < start[row + 1]; k++) scaled[k] /= length;
  }
  return { start, index, value: scaled };
}

/** Some of the rows, in the order asked for. */
export function pickRows({ start, index, value }: SparseRows, rows: readonly number[]): SparseRows {
  const picked = new Int32Array(rows.length + 1);
  for (const [k, row] of rows.entries()) picked[k + 1] = picked[k] + start[row + 1] - start[row];
  const [indices, values] = [new Int32Array(picked[rows.length]), new Float32Array(picked[rows.length])];
  for (const [k, row] of rows.entries()) {
    indices.set(index.subarray(start[row], start[row + 1]), picked[k]);
    values.set(value.subarray(start[row], start[row + 1]), picked[k]);
  }
  return { start: picked, index: indices, value: values };
}

function* featuresOf(text: string): Generator<number> {
  const words =
    text
      .toLowerCase()
      .replaceAll(/https?:\/\/\S+/g, ' ')
      .match(/[\p{L}\p{N}$%]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
  for (const [i, word] of words.entries()) {
    yield hash(word, WORD);
    if (i > 0) yield hash(`${words[i - 1]} ${word}`, PAIR);
    const framed = ` ${word} `;
    for (let length = 3; length <= 5; length++)
      for (let from = 0; from + length <= framed.length; from++)
        yield hash(framed.slice(from, from + length), CHARACTERS);
  }
}

const [WORD, PAIR, CHARACTERS] = [0x811c9dc5, 0x9747b28c, 0x5bd1e995];

/** FNV-1a with another start for each kind of feature. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) & (FEATURES - 1);
}
