/** Numbers that are added at the end, of which the newest `keep` stay. */
export interface Growing {
  /** Those that stay: `keep` of them or more. Good until the next `add`. */
  readonly view: Float64Array;
  add(values: Float64Array): void;
}

export function growing(first: Float64Array, keep: number): Growing {
  const from = Math.max(0, first.length - keep);
  let data = new Float64Array(Math.max(64, 2 * (first.length - from)));
  data.set(first.subarray(from));
  let [start, end] = [0, first.length - from];
  return {
    get view() {
      return data.subarray(start, end);
    },
    add(values) {
      if (end + values.length > data.length) {
        const stays = data.subarray(Math.max(start, end - keep), end);
        // Half of the room stays free, so that a value costs the same however many there are.
        const needed = 2 * (stays.length + values.length);
        const roomy = needed <= data.length ? data : new Float64Array(Math.max(needed, data.length));
        roomy.set(stays);
        [data, start, end] = [roomy, 0, stays.length];
      }
      data.set(values, end);
      end += values.length;
    },
  };
}
