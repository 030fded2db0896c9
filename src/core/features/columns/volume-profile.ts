import { highest, lowest } from './extremes.ts';
import { type Prices, typical } from './indicators.ts';
import type { Column } from './plan.ts';
import { sum } from './windows.ts';

export interface Profile {
  /** Middle of the bin with the most volume, the lowest of equals. */
  readonly pointOfControl: Column;
  /** Edges of the bins around it that hold the value area. */
  readonly valueHigh: Column;
  readonly valueLow: Column;
  /** Entropy of the bins' shares over its maximum. */
  readonly entropy: Column;
}

/**
 * Volume of the last `length` bars by typical price, in `count` bins of equal width between their lowest low and
 * highest high; the value area holds `share` of it. Unknown until the window is full. Where nothing was traded
 * every bar counts alike.
 */
export function volumeProfile(
  of: Prices & { readonly volume: Column },
  { length, count, share }: { readonly length: number; readonly count: number; readonly share: number },
): Profile {
  const [price, volume] = [typical(of).keep(length), of.volume.keep(length)];
  const [top, bottom, traded] = [highest(of.high, length), lowest(of.low, length), sum(volume, length)];
  const inputs = [price, volume, top, bottom, traded];
  const key = `profile ${length} ${count} ${share}`;
  const [pointOfControl, valueHigh, valueLow, entropy] = price.plan.derive(key, inputs, 4, (outs, memory) => {
    const [controls, highs, lows, spreads] = outs;
    const bins = memory(count);
    /** Bars in each bin that traded: without one the bin holds 0, whatever rounding left of those that went. */
    const traders = memory(count);
    /** `b ln b` of each bin. */
    const terms = memory(count);
    /** The bin of each bar in the window. */
    const places = memory(length);
    /** Ceiling, floor and volume of the bar before; where in `places` the next bar stands; peak; sum of terms. */
    const state = memory(6).fill(NaN);
    state[3] = 0;
    const greatest = Math.log(count);
    return (rows) => {
      const { data: topData, at: topAt } = top;
      const { data: bottomData, at: bottomAt } = bottom;
      const { data: tradedData, at: tradedAt } = traded;
      const { data: controlsData, at: controlsAt } = controls;
      const { data: highsData, at: highsAt } = highs;
      const { data: lowsData, at: lowsAt } = lows;
      const { data: spreadsData, at: spreadsAt } = spreads;
      for (let i = 0; i < rows; i++) {
        const ceiling = topData[topAt + i];
        const floor = bottomData[bottomAt + i];
        const total = tradedData[tradedAt + i];
        const at = state[3] | 0;
        state[3] = at + 1 === length ? 0 : at + 1;
        if (total !== total || ceiling === floor) {
          controlsData[controlsAt + i] = total === total ? ceiling : NaN;
          highsData[highsAt + i] = lowsData[lowsAt + i] = controlsData[controlsAt + i];
          spreadsData[spreadsAt + i] = total === total ? 0 : NaN;
          state[0] = NaN;
          continue;
        }
        // The bins stand while the range does; a rebuild once a window keeps rounding from piling up.
        const alike = total === 0;
        const stands = ceiling === state[0] && floor === state[1] && at > 0 && alike === (state[2] === 0);
        state[0] = ceiling;
        state[1] = floor;
        state[2] = total;
        const { data: ps, at: pAt } = price;
        const { data: vs, at: vAt } = volume;
        const perPrice = count / (ceiling - floor);
        const last = count - 1;
        let peak = state[4] | 0;
        let sum = state[5];
        if (stands) {
          const old = places[at] | 0;
          const gone = alike ? 1 : vs[vAt + i - length];
          if (gone > 0) traders[old]--;
          const left = bins[old] - gone;
          bins[old] = traders[old] === 0 || left < 0 ? 0 : left;
          const term = bins[old] === 0 ? 0 : bins[old] * Math.log(bins[old]);
          sum += term - terms[old];
          terms[old] = term;

          const place = ((ps[pAt + i] - floor) * perPrice) | 0;
          const bin = place > last ? last : place;
          const weight = alike ? 1 : vs[vAt + i];
          places[at] = bin;
          if (weight > 0) traders[bin]++;
          bins[bin] += weight;
          const grown = bins[bin] === 0 ? 0 : bins[bin] * Math.log(bins[bin]);
          sum += grown - terms[bin];
          terms[bin] = grown;
          if (old === peak && gone > 0) {
            peak = 0;
            for (let k = 1; k < count; k++) if (bins[k] > bins[peak]) peak = k;
          } else if (bins[bin] > bins[peak] || (bins[bin] === bins[peak] && bin < peak)) peak = bin;
        } else {
          bins.fill(0);
          traders.fill(0);
          // The oldest bar of the window stands right behind the newest.
          let place = at + 1 === length ? 0 : at + 1;
          for (let k = length - 1; k >= 0; k--) {
            const bin = ((ps[pAt + i - k] - floor) * perPrice) | 0;
            const weight = alike ? 1 : vs[vAt + i - k];
            const held = bin > last ? last : bin;
            places[place] = held;
            bins[held] += weight;
            if (weight > 0) traders[held]++;
            if (++place === length) place = 0;
          }
          peak = 0;
          sum = 0;
          for (let bin = 0; bin < count; bin++) {
            if (bins[bin] > bins[peak]) peak = bin;
            terms[bin] = bins[bin] === 0 ? 0 : bins[bin] * Math.log(bins[bin]);
            sum += terms[bin];
          }
        }
        state[4] = peak;
        state[5] = sum;
        const whole = alike ? length : total;
        const enough = share * whole;
        let from = peak;
        let to = peak;
        let held = bins[peak];
        while (held < enough && (from > 0 || to < last)) {
          const below = from > 0 ? bins[from - 1] : -1;
          const above = to < last ? bins[to + 1] : -1;
          if (above >= below) held += bins[++to];
          else held += bins[--from];
        }
        const width = (ceiling - floor) / count;
        controlsData[controlsAt + i] = floor + (peak + 0.5) * width;
        lowsData[lowsAt + i] = floor + from * width;
        highsData[highsAt + i] = floor + (to + 1) * width;
        const spread = Math.log(whole) - sum / whole;
        spreadsData[spreadsAt + i] = spread > 0 ? spread / greatest : 0;
      }
    };
  });
  return { pointOfControl, valueHigh, valueLow, entropy };
}
