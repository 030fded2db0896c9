import { z } from 'zod';
import type { KeyPermissions } from './venue.ts';

type Ask = (method: string, params: object) => Promise<unknown>;

const Binance = z.object({ enableSpotAndMarginTrading: z.boolean(), enableWithdrawals: z.boolean() });
const Bybit = z.object({
  result: z.object({ readOnly: z.number(), permissions: z.record(z.string(), z.array(z.string())) }),
});
const Okx = z.object({ data: z.array(z.object({ perm: z.string() })).min(1) });

/**
 * What a key may do, in each exchange's own words, by ccxt's name of the request:
 * developers.binance.com/docs/wallet/account/api-key-permission, bybit-exchange.github.io/docs/v5/user/apikey-info,
 * okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration.
 */
export const PERMISSIONS: Readonly<Record<string, (ask: Ask) => Promise<KeyPermissions>>> = {
  binance: async (ask) => {
    const said = Binance.parse(await ask('sapiGetAccountApiRestrictions', {}));
    return { trade: said.enableSpotAndMarginTrading, withdraw: said.enableWithdrawals };
  },
  bybit: async (ask) => {
    const { readOnly, permissions } = Bybit.parse(await ask('privateGetV5UserQueryApi', {})).result;
    return {
      trade: readOnly === 0 && (permissions['Spot'] ?? []).includes('SpotTrade'),
      withdraw: (permissions['Wallet'] ?? []).includes('Withdraw'),
    };
  },
  okx: async (ask) => {
    const words = Okx.parse(await ask('privateGetAccountConfig', {})).data[0].perm.split(',');
    return { trade: words.includes('trade'), withdraw: words.includes('withdraw') };
  },
};
