import { readFileSync } from 'node:fs';

/** R[k,j] of the golden files' rule: 250 returns of five assets, as columns. */
export const CLOSED_FORM = Array.from({ length: 5 }, (_, j) =>
  Float64Array.from(
    { length: 250 },
    (_k, k) =>
      Math.round(
        1e8 *
          (0.0004 * (j + 1) +
            0.01 * (1 + 0.25 * j) * Math.sin(1 + 0.37 * (5 * k + j)) +
            0.006 * Math.cos(0.11 * k * (1 + 0.3 * j))),
      ) / 1e8,
  ),
);

export const SYMBOLS = ['A', 'B', 'C', 'D', 'E'];

/** A golden file of `tests/golden/portfolio`; its README line says what made it. */
export function golden(name: 'pypfopt' | 'skfolio' | 'out-of-sample') {
  const path = new URL(`../../golden/portfolio/${name}.json`, import.meta.url);
  const root = JSON.parse(readFileSync(path, 'utf8')) as unknown;
  const at = (keys: readonly string[]): unknown =>
    keys.reduce<unknown>((value, key) => {
      const found = Object.entries(value as object).find(([name]) => name === key);
      if (found === undefined) throw new Error(`no ${keys.join(' / ')} in ${name}`);
      return found[1];
    }, root);
  return {
    number: (...keys: string[]): number => at(keys) as number,
    numbers: (...keys: string[]): number[] => at(keys) as number[],
    matrix: (...keys: string[]): number[][] => at(keys) as number[][],
    value: (...keys: string[]): unknown => at(keys),
  };
}
