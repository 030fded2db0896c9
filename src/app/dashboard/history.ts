/** A curve of any length in bounded memory: when full, every second point is dropped. */
export interface History {
  add(value: number): void;
  /** Evenly spaced points, and the last one whatever its place. */
  points(): readonly number[];
}

export function createHistory(capacity = 1024): History {
  let kept: number[] = [];
  let every = 1;
  let seen = 0;
  let last: number | undefined;
  return {
    add(value) {
      last = value;
      if (seen++ % every !== 0) return;
      kept.push(value);
      if (kept.length < capacity) return;
      kept = kept.filter((_, i) => i % 2 === 0);
      every *= 2;
    },
    points: () => (last === undefined || (seen - 1) % every === 0 ? kept.slice() : [...kept, last]),
  };
}
