import { lag, minus, scaled } from './arithmetic.ts';
import type { Prices } from './indicators.ts';
import type { Column } from './plan.ts';
import { mean } from './windows.ts';

/** The parts of bars. */
export interface Sticks {
  readonly top: Column;
  readonly bottom: Column;
  readonly body: Column;
  readonly upper: Column;
  readonly lower: Column;
}

export function sticks({ open, high, low, close }: Prices): Sticks {
  const [top, bottom, body, upper, lower] = open.plan.derive(
    'sticks',
    [open, high, low, close],
    5,
    ([tops, bottoms, bodies, uppers, lowers]) =>
      (rows) => {
        const { data: topsData, at: topsAt } = tops;
        const { data: bottomsData, at: bottomsAt } = bottoms;
        const { data: bodiesData, at: bodiesAt } = bodies;
        const { data: uppersData, at: uppersAt } = uppers;
        const { data: lowersData, at: lowersAt } = lowers;
        const { data: os, at: oAt } = open;
        const { data: hs, at: hAt } = high;
        const { data: ls, at: lAt } = low;
        const { data: cs, at: cAt } = close;
        for (let i = 0; i < rows; i++) {
          const o = os[oAt + i];
          const c = cs[cAt + i];
          const above = c > o ? c : o;
          const below = c > o ? o : c;
          topsData[topsAt + i] = above;
          bottomsData[bottomsAt + i] = below;
          bodiesData[bodiesAt + i] = above - below;
          uppersData[uppersAt + i] = hs[hAt + i] - above;
          lowersData[lowersAt + i] = below - ls[lAt + i];
        }
      },
  );
  return { top, bottom, body, upper, lower };
}

const PATTERN_NAMES = [
  'doji',
  'dragonfly_doji',
  'gravestone_doji',
  'hammer',
  'hanging_man',
  'gapless_inverted_hammer',
  'gapless_shooting_star',
  'engulfing',
  'harami',
  'gapless_piercing',
  'gapless_dark_cloud',
  'gapless_morning_star',
  'gapless_evening_star',
  'three_soldiers',
  'three_crows',
  'marubozu',
  'spinning_top',
  'inside_bar',
  'outside_bar',
  'tweezer',
] as const;

export type PatternName = (typeof PATTERN_NAMES)[number];

/**
 * Candlestick patterns: 1 bullish, -1 bearish, 0 absent; for shapes without a direction 1 when present. `balance`
 * is the sum of those with a direction. What is long, short, slight or near is measured as TA-Lib does by
 * default: a body against the mean of the 10 before, shadows against a tenth of the mean range of the 10 before,
 * nearness by a fifth of that of the 5 before. Unknown on the first 13 bars.
 */
export function candlestickPatterns(prices: Prices): Readonly<Record<string, Column>> {
  const { open, high, low, close } = prices;
  const parts = sticks(prices);
  const { top, bottom, body, upper, lower } = parts;
  const range = minus(high, low);
  const usual = lag(mean(body, 10), 1);
  const slight = scaled(lag(mean(range, 10), 1), 0.1);
  const near = scaled(lag(mean(range, 5), 1), 0.2);
  const far = scaled(lag(mean(range, 5), 1), 0.6);
  const { white, long, bare, footless } = looks({ ...parts, open, close, usual, slight });
  const inputs = [open, high, low, close, top, bottom, body, upper, lower, usual, slight, near, far];
  for (const input of [...inputs, white, long, bare, footless]) input.keep(3);
  const columns = open.plan.derive(
    'patterns',
    [...inputs, white, long, bare, footless],
    PATTERN_NAMES.length + 1,
    (outs) => {
      const targets = new Array<Float64Array>(outs.length);
      const ats = new Int32Array(outs.length);
      const found = new Float64Array(outs.length);
      return (rows) => {
        for (let k = 0; k < outs.length; k++) {
          targets[k] = outs[k].data;
          ats[k] = outs[k].at;
        }
        const os = open.data;
        const hs = high.data;
        const ls = low.data;
        const cs = close.data;
        const tops = top.data;
        const bottoms = bottom.data;
        const bodies = body.data;
        const uppers = upper.data;
        const lowers = lower.data;
        const means = usual.data;
        const slights = slight.data;
        const nears = near.data;
        const fars = far.data;
        const whites = white.data;
        const longs = long.data;
        const bares = bare.data;
        const footlesses = footless.data;
        // Columns that are remembered equally long stand at the same place, but sources may be remembered longer.
        const oAt = open.at;
        const hAt = high.at;
        const lAt = low.at;
        const cAt = close.at;
        const tAt = top.at;
        const bAt = bottom.at;
        const sAt = body.at;
        const uAt = upper.at;
        const dAt = lower.at;
        const mAt = usual.at;
        const slAt = slight.at;
        const nAt = near.at;
        const fAt = far.at;
        const wAt = white.at;
        const loAt = long.at;
        const baAt = bare.at;
        const foAt = footless.at;
        for (let i = 0; i < rows; i++) {
          // Unknown before the body of three bars ago had ten before it.
          const unknown = means[mAt + i - 3] !== means[mAt + i - 3];
          const o = os[oAt + i];
          const h = hs[hAt + i];
          const l = ls[lAt + i];
          const c = cs[cAt + i];
          const t = tops[tAt + i];
          const b = bottoms[bAt + i];
          const size = bodies[sAt + i];
          const up = uppers[uAt + i];
          const down = lowers[dAt + i];
          const mean0 = means[mAt + i];
          const slight0 = slights[slAt + i];
          const white0 = whites[wAt + i];
          const long0 = longs[loAt + i] > 0;
          const bare0 = bares[baAt + i] > 0;
          const footless0 = footlesses[foAt + i] > 0;
          const o1 = os[oAt + i - 1];
          const h1 = hs[hAt + i - 1];
          const l1 = ls[lAt + i - 1];
          const c1 = cs[cAt + i - 1];
          const t1 = tops[tAt + i - 1];
          const b1 = bottoms[bAt + i - 1];
          const size1 = bodies[sAt + i - 1];
          const white1 = whites[wAt + i - 1];
          const long1 = longs[loAt + i - 1] > 0;
          const near1 = nears[nAt + i - 1];
          const o2 = os[oAt + i - 2];
          const c2 = cs[cAt + i - 2];
          const size2 = bodies[sAt + i - 2];
          const white2 = whites[wAt + i - 2];
          const long2 = longs[loAt + i - 2] > 0;

          const doji = size <= slight0;
          found[0] = doji ? 1 : 0;
          found[1] = doji && bare0 && down > slight0 ? 1 : 0;
          found[2] = doji && footless0 && up > slight0 ? 1 : 0;

          const short = size < mean0;
          const hammer = short && down > size && bare0;
          const hammers = hammer && b <= l1 + near1 ? 1 : 0;
          const hangs = hammer && b >= h1 - near1 ? -1 : 0;
          const star = short && up > size && footless0;
          const inverted = star && o <= b1 ? 1 : 0;
          const shoots = star && o >= t1 ? -1 : 0;
          found[3] = hammers;
          found[4] = hangs;
          found[5] = inverted;
          found[6] = shoots;

          const covers = white0 !== white1 && t >= t1 && b <= b1 && (t > t1 || b < b1);
          const engulfing = covers ? white0 : 0;
          const harami = long1 && size <= mean0 && t <= t1 && b >= b1 ? -white1 : 0;
          found[7] = engulfing;
          found[8] = harami;

          const half = 0.5 * size1;
          const piercing =
            white1 < 0 && white0 > 0 && long1 && long0 && o <= c1 && c > c1 + half && c < o1 ? 1 : 0;
          const cloud = white1 > 0 && white0 < 0 && long1 && o >= c1 && c < c1 - half && c > o1 ? -1 : 0;
          found[9] = piercing;
          found[10] = cloud;

          const rested = long2 && long0 && size1 <= means[mAt + i - 1];
          const third = 0.3 * size2;
          const morning = rested && white2 < 0 && white0 > 0 && o1 <= c2 && c > c2 + third ? 1 : 0;
          const evening = rested && white2 > 0 && white0 < 0 && o1 >= c2 && c < c2 - third ? -1 : 0;
          found[11] = morning;
          found[12] = evening;

          const soldiers =
            white0 > 0 &&
            white1 > 0 &&
            white2 > 0 &&
            c > c1 &&
            c1 > c2 &&
            o > o1 &&
            o1 > o2 &&
            long0 &&
            bare0 &&
            bares[baAt + i - 1] > 0 &&
            bares[baAt + i - 2] > 0 &&
            o <= c1 + near1 &&
            o1 <= c2 + nears[nAt + i - 2] &&
            size > size1 - fars[fAt + i - 1] &&
            size1 > size2 - fars[fAt + i - 2]
              ? 1
              : 0;
          const crows =
            white0 < 0 &&
            white1 < 0 &&
            white2 < 0 &&
            c < c1 &&
            c1 < c2 &&
            o < o1 &&
            o > c1 &&
            o1 < o2 &&
            o1 > c2 &&
            footless0 &&
            footlesses[foAt + i - 1] > 0 &&
            footlesses[foAt + i - 2] > 0 &&
            whites[wAt + i - 3] > 0 &&
            hs[hAt + i - 3] > c2
              ? -1
              : 0;
          found[13] = soldiers;
          found[14] = crows;

          const marubozu = long0 && bare0 && footless0 ? white0 : 0;
          found[15] = marubozu;
          found[16] = short && up > size && down > size ? white0 : 0;
          found[17] = h < h1 && l > l1 ? 1 : 0;
          const outside = h > h1 && l < l1 ? Math.sign(c - o) : 0;
          found[18] = outside;
          const even = 0.05 * (h1 - l1);
          const tweezer =
            o1 > c1 && c > o
              ? Math.abs(l - l1) <= even
                ? 1
                : 0
              : c1 > o1 && o > c && Math.abs(h - h1) <= even
                ? -1
                : 0;
          found[19] = tweezer;
          found[20] =
            hammers +
            hangs +
            inverted +
            shoots +
            engulfing +
            harami +
            piercing +
            cloud +
            morning +
            evening +
            soldiers +
            crows +
            marubozu +
            outside +
            tweezer;
          for (let k = 0; k < found.length; k++) targets[k][ats[k] + i] = unknown ? NaN : found[k];
        }
      };
    },
  );
  return Object.fromEntries([...PATTERN_NAMES, 'balance'].map((name, i) => [name, columns[i]]));
}

/** 1 or -1 by color, white also without a body; and 1 or 0: a long body, no upper and no lower shadow to speak of. */
function looks(of: Sticks & { open: Column; close: Column; usual: Column; slight: Column }) {
  const inputs = [of.open, of.close, of.body, of.usual, of.upper, of.lower, of.slight];
  const [white, long, bare, footless] = of.open.plan.derive('looks', inputs, 4, ([w, l, b, f]) => (rows) => {
    const { data: slightData, at: slightAt } = of.slight;
    const { data: wData, at: wAt } = w;
    const { data: closeData, at: closeAt } = of.close;
    const { data: openData, at: openAt } = of.open;
    const { data: lData, at: lAt } = l;
    const { data: bodyData, at: bodyAt } = of.body;
    const { data: usualData, at: usualAt } = of.usual;
    const { data: bData, at: bAt } = b;
    const { data: upperData, at: upperAt } = of.upper;
    const { data: fData, at: fAt } = f;
    const { data: lowerData, at: lowerAt } = of.lower;
    for (let i = 0; i < rows; i++) {
      const slight = slightData[slightAt + i];
      wData[wAt + i] = closeData[closeAt + i] >= openData[openAt + i] ? 1 : -1;
      lData[lAt + i] = bodyData[bodyAt + i] > usualData[usualAt + i] ? 1 : 0;
      bData[bAt + i] = upperData[upperAt + i] < slight ? 1 : 0;
      fData[fAt + i] = lowerData[lowerAt + i] < slight ? 1 : 0;
    }
  });
  return { white, long, bare, footless };
}
