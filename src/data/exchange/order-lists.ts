import { z } from 'zod';
import type { CcxtExchange } from './ccxt.ts';
import type { VenuePair } from './venue.ts';

type Ask = (method: string, params: object) => Promise<unknown>;

interface OrderLists {
  /** The exchange's ids of both orders, by the sender's. */
  submit(ask: Ask, exchange: CcxtExchange, pair: VenuePair): Promise<ReadonlyMap<string, string>>;
  cancel(ask: Ask, exchange: CcxtExchange, list: Pick<VenuePair, 'listId' | 'symbol'>): Promise<unknown>;
}

const BinanceList = z.object({
  orders: z.array(
    z.object({
      clientOrderId: z.string(),
      orderId: z.union([z.string().min(1), z.number()]).transform(String),
    }),
  ),
});

/**
 * Where a stop and a target of the same coins can rest together, by ccxt's name of the request. On Binance the first execution of one, in
 * part or whole, or the trigger of the stop ends the other, and cancelling one cancels both:
 * developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints, "New Order list - OCO" and "Cancel Order list";
 * binance.com/en/support/articles/360032605831.
 */
export const ORDER_LISTS: Readonly<Record<string, OrderLists>> = {
  binance: {
    submit: async (ask, exchange, { listId, symbol, baseAmount, stop, take }) => {
      const price = (value: number): string => exchange.priceToPrecision(symbol, value);
      const said = await ask('privatePostOrderListOco', {
        symbol: exchange.marketId(symbol),
        listClientOrderId: listId,
        side: 'SELL',
        quantity: exchange.amountToPrecision(symbol, baseAmount),
        aboveType: 'LIMIT_MAKER',
        aboveClientOrderId: take.clientId,
        abovePrice: price(take.price),
        belowType: 'STOP_LOSS_LIMIT',
        belowClientOrderId: stop.clientId,
        belowStopPrice: price(stop.stopPrice),
        belowPrice: price(stop.price),
        belowTimeInForce: 'GTC',
        newOrderRespType: 'ACK',
      });
      return new Map(BinanceList.parse(said).orders.map((order) => [order.clientOrderId, order.orderId]));
    },
    cancel: (ask, exchange, { listId, symbol }) =>
      ask('privateDeleteOrderList', { symbol: exchange.marketId(symbol), listClientOrderId: listId }),
  },
};
