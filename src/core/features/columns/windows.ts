import { root } from './arithmetic.ts';
import { type Column, derive } from './plan.ts';

/*
 * Statistics of the last `length` values. A column may begin with unknown values (`NaN`): a window counts from
 * the first known one on, so that warm-ups add up. Running sums are rebuilt exactly once per window length or two:
 * rounding cannot pile up, and a window of equal values has a deviation of exactly 0.
 */

/** Sum of the window; unknown until it is full. */
export const sum = (x: Column, length: number): Column => total(x, length, 1);

/** Mean of the window; unknown until it is full. */
export const mean = (x: Column, length: number): Column => total(x, length, length);

function total(x: Column, length: number, divisor: number): Column {
  return derive(`sum ${length} / ${divisor}`, [x.keep(length)], (out, memory) => {
    const state = memory(5);
    const period = periodOf(length);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ys, at: to } = out;
      let count = state[0] | 0;
      let phase = state[1] | 0;
      let run = state[2] | 0;
      let last = state[3];
      let sum = state[4];
      for (let i = 0; i < rows; i++) {
        const value = xs[at + i];
        if (value === last) run++;
        else {
          run = 1;
          last = value;
        }
        if (count === length) sum += value - xs[at + i - length];
        else if (value === value) {
          count++;
          sum += value;
        }
        if (count > 0 && ++phase === period) {
          phase = 0;
          if (count === length) {
            sum = 0;
            for (let j = at + i - length + 1; j <= at + i; j++) sum += xs[j];
          }
        }
        ys[to + i] = count < length ? NaN : (run < length ? sum : value * length) / divisor;
      }
      state[0] = count;
      state[1] = phase;
      state[2] = run < length ? run : length;
      state[3] = last;
      state[4] = sum;
    };
  });
}

/** Bars between rebuilds: whole windows, not so few that starting over costs more than it adds up. */
const periodOf = (length: number): number => length * Math.ceil(32 / length);

export interface Moments {
  readonly mean: Column;
  /** Sum of squared deviations from the mean. */
  readonly squares: Column;
}

/** Mean and variance of the window; unknown until it is full. */
export function moments(x: Column, length: number): Moments {
  const [means, squares] = x.plan.derive(`moments ${length}`, [x.keep(length)], 2, ([m, s], memory) => {
    const state = memory(7);
    const period = periodOf(length);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ms, at: mTo } = m;
      const { data: ss, at: sTo } = s;
      let count = state[0] | 0;
      let phase = state[1] | 0;
      let run = state[2] | 0;
      let last = state[3];
      let shift = state[4];
      let sum1 = state[5];
      let sum2 = state[6];
      for (let i = 0; i < rows; i++) {
        const value = xs[at + i];
        if (value === last) run++;
        else {
          run = 1;
          last = value;
        }
        if (count === length) {
          const added = value - shift;
          const dropped = xs[at + i - length] - shift;
          sum1 += added - dropped;
          sum2 += added * added - dropped * dropped;
        } else if (value === value) {
          if (count === 0) shift = value;
          const added = value - shift;
          count++;
          sum1 += added;
          sum2 += added * added;
        }
        if (count > 0 && ++phase === period) {
          phase = 0;
          if (count === length) {
            let whole = 0;
            const from = at + i - length + 1;
            for (let j = from; j < from + length; j++) whole += xs[j];
            shift = whole / length;
            sum1 = sum2 = 0;
            for (let j = from; j < from + length; j++) {
              const apart = xs[j] - shift;
              sum1 += apart;
              sum2 += apart * apart;
            }
          }
        }
        if (count < length) {
          ms[mTo + i] = ss[sTo + i] = NaN;
        } else if (run < length) {
          const spread = sum2 - (sum1 * sum1) / length;
          ms[mTo + i] = shift + sum1 / length;
          ss[sTo + i] = spread > 0 ? spread : 0;
        } else {
          ms[mTo + i] = value;
          ss[sTo + i] = 0;
        }
      }
      state[0] = count;
      state[1] = phase;
      state[2] = run < length ? run : length;
      state[3] = last;
      state[4] = shift;
      state[5] = sum1;
      state[6] = sum2;
    };
  });
  return { mean: means, squares };
}

/** Sample standard deviation (n - 1) of the window. */
export const deviation = (x: Column, length: number): Column =>
  rootOf(moments(x, length).squares, length - 1);

/** Population standard deviation (n), the convention of Bollinger bands. */
export const populationDeviation = (x: Column, length: number): Column =>
  rootOf(moments(x, length).squares, length);

const rootOf = (squares: Column, count: number): Column =>
  derive(`root of mean ${count}`, [squares], (out) => (rows) => {
    const { data: xs, at } = squares;
    const { data: ys, at: to } = out;
    for (let i = 0; i < rows; i++) ys[to + i] = Math.sqrt(xs[at + i] / count);
  });

/** Distance of x from its mean in sample deviations of the window; 0 where it does not vary. */
export function score(x: Column, length: number): Column {
  const { mean: means, squares } = moments(x, length);
  return derive(`score ${length}`, [x, means, squares], (out) => (rows) => {
    const { data: xs, at } = x;
    const { data: ms, at: mAt } = means;
    const { data: ss, at: sAt } = squares;
    const { data: ys, at: to } = out;
    for (let i = 0; i < rows; i++) {
      const spread = ss[sAt + i];
      ys[to + i] = spread === 0 ? 0 : (xs[at + i] - ms[mAt + i]) / Math.sqrt(spread / (length - 1));
    }
  });
}

/** Root of the mean of the window, at least 0. */
export const rootMean = (x: Column, length: number): Column => root(mean(x, length));

export interface Pairs {
  /** Sum of products of deviations. */
  readonly products: Column;
  readonly x: Moments;
  readonly y: Moments;
}

/** Co-moments of pairs, counted where both are known; both are first known on the same bar, `where` sees to it. */
export function pairs(x: Column, y: Column, length: number): Pairs {
  const [mx, my] = [moments(x, length), moments(y, length)];
  const inputs = [x.keep(length), y.keep(length), mx.mean, my.mean];
  const [products] = x.plan.derive(`pairs ${length}`, inputs, 1, ([out], memory) => {
    const state = memory(7);
    return (rows) => {
      const { data: meanData, at: meanAt } = mx.mean;
      const { data: my_meanData, at: my_meanAt } = my.mean;
      const { data: xs, at: xAt } = x;
      const { data: ys, at: yAt } = y;
      const { data: zs, at: to } = out;
      let count = state[0] | 0;
      let phase = state[1] | 0;
      let shiftX = state[2];
      let shiftY = state[3];
      let sumX = state[4];
      let sumY = state[5];
      let product = state[6];
      for (let i = 0; i < rows; i++) {
        const a = xs[xAt + i];
        const b = ys[yAt + i];
        if (a !== a || b !== b) {
          zs[to + i] = NaN;
          continue;
        }
        if (count < length) count++;
        else {
          const goneX = xs[xAt + i - length] - shiftX;
          const goneY = ys[yAt + i - length] - shiftY;
          sumX -= goneX;
          sumY -= goneY;
          product -= goneX * goneY;
        }
        sumX += a - shiftX;
        sumY += b - shiftY;
        product += (a - shiftX) * (b - shiftY);
        if (++phase === length) {
          phase = 0;
          shiftX = meanData[meanAt + i];
          shiftY = my_meanData[my_meanAt + i];
          sumX = sumY = product = 0;
          for (let j = i - length + 1; j <= i; j++) {
            const apartX = xs[xAt + j] - shiftX;
            const apartY = ys[yAt + j] - shiftY;
            sumX += apartX;
            sumY += apartY;
            product += apartX * apartY;
          }
        }
        zs[to + i] = count < length ? NaN : product - (sumX * sumY) / length;
      }
      state[0] = count;
      state[1] = phase;
      state[2] = shiftX;
      state[3] = shiftY;
      state[4] = sumX;
      state[5] = sumY;
      state[6] = product;
    };
  });
  return { products, x: mx, y: my };
}

/** Pearson's correlation over the window, in [-1, 1]; 0 where either side does not vary. */
export function correlation(x: Column, y: Column, length: number): Column {
  const { products, x: mx, y: my } = pairs(x, y, length);
  return derive('correlation', [products, mx.squares, my.squares], (out) => (rows) => {
    const { data: ps, at } = products;
    const { data: xs, at: xAt } = mx.squares;
    const { data: ys, at: yAt } = my.squares;
    const { data: zs, at: to } = out;
    for (let i = 0; i < rows; i++) {
      const scale = Math.sqrt(xs[xAt + i] * ys[yAt + i]);
      const value = scale === 0 ? 0 : ps[at + i] / scale;
      zs[to + i] = value > 1 ? 1 : value < -1 ? -1 : value;
    }
  });
}

export interface Line {
  readonly slope: Column;
  /** Share of variance explained, 0 where the window does not vary. */
  readonly rSquared: Column;
}

/** Least-squares line through the window against 0, 1, 2, ... */
export function line(x: Column, length: number): Line {
  const { mean: means, squares } = moments(x, length);
  const inputs = [x.keep(length), means, squares];
  const [slope, rSquared] = x.plan.derive(`line ${length}`, inputs, 2, ([slopes, fits], memory) => {
    const state = memory(5);
    const indexSquares = (length * (length * length - 1)) / 12;
    return (rows) => {
      const { data: slopesData, at: slopesAt } = slopes;
      const { data: fitsData, at: fitsAt } = fits;
      const { data: meansData, at: meansAt } = means;
      const { data: xs, at } = x;
      const { data: ss, at: sAt } = squares;
      let count = state[0] | 0;
      let phase = state[1] | 0;
      let shift = state[2];
      let sum = state[3];
      let weighted = state[4];
      for (let i = 0; i < rows; i++) {
        const value = xs[at + i];
        if (value !== value) {
          slopesData[slopesAt + i] = fitsData[fitsAt + i] = NaN;
          continue;
        }
        if (count === 0) shift = value;
        const added = value - shift;
        if (count < length) {
          weighted += added * count;
          sum += added;
          count++;
        } else {
          const dropped = xs[at + i - length] - shift;
          weighted += added * (length - 1) - (sum - dropped);
          sum += added - dropped;
        }
        if (++phase === length) {
          phase = 0;
          shift = meansData[meansAt + i];
          sum = weighted = 0;
          for (let j = 0; j < length; j++) {
            const apart = xs[at + i - length + 1 + j] - shift;
            sum += apart;
            weighted += apart * j;
          }
        }
        const spread = ss[sAt + i];
        const covariance = weighted - ((length - 1) / 2) * sum;
        const fit = (covariance * covariance) / (indexSquares * spread);
        const flat = spread === 0;
        slopesData[slopesAt + i] = count < length ? NaN : flat ? 0 : covariance / indexSquares;
        fitsData[fitsAt + i] = count < length ? NaN : flat ? 0 : fit > 1 ? 1 : fit;
      }
      state[0] = count;
      state[1] = phase;
      state[2] = shift;
      state[3] = sum;
      state[4] = weighted;
    };
  });
  return { slope, rSquared };
}
