import { isProtective, isSettled } from './orders.ts';
import type { Surroundings } from './reconcile.ts';
import type { LiveState } from './state.ts';

/** After so long a silence of this program the exchange cancels what rests. */
export const DEAD_MAN_MS = 60_000;
const KEPT_ALIVE_EVERY_MS = 15_000;

/**
 * Keeps the exchange's own switch armed while an order of a decision rests, and disarms it when none does. It would take protective
 * orders back as well, so it is not used beside them. What a failed request leaves is what the switch is for: it is not repeated at once.
 */
export function createDeadMan(state: LiveState, { venue, signal, now }: Surroundings) {
  const { takeProfitPct, stopLossPct } = state.session.rules;
  const { deadMan } = venue;
  const isUsed = deadMan !== undefined && takeProfitPct === undefined && stopLossPct === undefined;
  let armedMs: number | undefined;
  return {
    tend: async (): Promise<void> => {
      if (!isUsed) return;
      const rests = [...state.orders.values()].some(
        (order) => !isSettled(order) && !isProtective(order) && order.intent.timeInForce === 'GTC',
      );
      if (rests && now() - (armedMs ?? -Infinity) >= KEPT_ALIVE_EVERY_MS) {
        armedMs = now();
        await deadMan(DEAD_MAN_MS, signal);
      }
      if (!rests && armedMs !== undefined) {
        armedMs = undefined;
        await deadMan(0, signal);
      }
    },
  };
}
