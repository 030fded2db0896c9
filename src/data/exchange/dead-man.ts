type Ask = (method: string, params: object) => Promise<unknown>;

/**
 * Where orders of a spot account are cancelled by the exchange unless they are kept alive, by ccxt's name of the request:
 * okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-all-after (0, or 10 to 120 s). Binance has it for futures only, and Bybit for
 * institutions, by arrangement.
 */
export const DEAD_MAN: Readonly<Record<string, (ask: Ask, afterMs: number) => Promise<unknown>>> = {
  okx: (ask, afterMs) =>
    ask('privatePostTradeCancelAllAfter', { timeOut: String(Math.round(afterMs / 1000)) }),
};
