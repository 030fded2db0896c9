/** What environment variables that are settings of this program begin with. */
export const ENVIRONMENT_PREFIX = 'CRYPTO_TRADER_';
