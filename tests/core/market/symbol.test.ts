import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { isSpellingOf, parseSymbol, symbolFolder, symbolOfFolder } from '../../../src/core/market/symbol.ts';
import { parseSymbols, requireOneQuote } from '../../../src/core/market/symbols.ts';

function refusal(work: () => unknown): { readonly message: string; readonly hint: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a symbol', () => {
  it.each([
    ['BTC/USDT', 'BTC/USDT'],
    ['btc-usdt', 'BTC/USDT'],
    [' BTC_USDT ', 'BTC/USDT'],
    ['1000sats/usdt', '1000SATS/USDT'],
    ['币安人生/USDT', '币安人生/USDT'],
    ['kPEPE/USDC', 'KPEPE/USDC'],
    ['ＢＴＣ/ＵＳＤＴ', 'BTC/USDT'],
    ['e\u0301x/usdt', 'ÉX/USDT'],
  ])('%j is %s', (text, symbol) => {
    expect(parseSymbol(text)).toBe(symbol);
  });

  it.each([
    ['BTCUSDT', 'Did you mean BTC/USDT?'],
    ['ethfdusd', 'Did you mean ETH/FDUSD?'],
    ['币安人生USDT', 'Did you mean 币安人生/USDT?'],
    ['BTC/USDT:USDT', '--exchange binanceusdm --symbols BTC/USDT'],
    ['kPEPE/USDC:USDC', '--exchange binanceusdm --symbols KPEPE/USDC'],
    ['BTC/USD:BTC', 'are not supported'],
    ['BTC/USDT:USDT-261225', 'are not supported'],
    ['BTC/', 'Write base and quote'],
    ['/USDT', 'Write base and quote'],
    ['USDT/USDT', 'Write base and quote'],
    ['BTC/USDT/X', 'Write base and quote'],
    ['', 'Write base and quote'],
  ])('%j is refused, with what to write instead', (text, hint) => {
    const refused = refusal(() => parseSymbol(text));
    expect(refused.message).toBe(`Cannot read symbol "${text}".`);
    expect(refused.hint).toContain(hint);
  });

  it.each([
    '../etc',
    '..-..',
    './USDT',
    'BTC\\USDT',
    'BTC/US\u0000DT',
    'BTC/USDT\u001B[2J',
    'BTC/USD\u202ET',
    `${'A'.repeat(31)}/USDT`,
  ])('%j cannot become a folder', (text) => {
    expect(() => parseSymbol(text)).toThrow(/^Cannot read symbol/);
  });

  it.each(['BTC/USDT', '币安人生/USDT', 'ÉX/USDT'])('%s comes back from its folder name', (text) => {
    const folder = symbolFolder(parseSymbol(text));
    expect(folder).not.toMatch(/[/\\:]/);
    expect(symbolOfFolder(folder)).toBe(text);
    expect(symbolOfFolder(folder.normalize('NFD'))).toBe(text); // as macOS lists it
  });

  it.each(['btc-usdt', 'BTC_USDT', 'BTC-USDT.old', 'BTC', '.BTC-USDT', 'lost+found'])(
    'no symbol is in the folder %j',
    (name) => {
      expect(symbolOfFolder(name)).toBeUndefined();
    },
  );

  it('is found among what an exchange lists, whatever the case there', () => {
    expect(isSpellingOf('kPEPE/USDC', parseSymbol('kpepe-usdc'))).toBe(true);
    expect(isSpellingOf('PEPE/USDC', parseSymbol('kpepe-usdc'))).toBe(false);
  });
});

describe('the list of symbols', () => {
  it('holds each pair once, after spelling is normalised', () => {
    expect(parseSymbols(['BTC/USDT', ' eth-usdt'])).toEqual(['BTC/USDT', 'ETH/USDT']);
    expect(refusal(() => parseSymbols(['BTC/USDT', 'ETH/USDT', 'btc-usdt'])).message).toBe(
      'BTC/USDT comes twice in the list of symbols, as "BTC/USDT" and as "btc-usdt".',
    );
    expect(refusal(() => parseSymbols(['A/B', 'A/B'])).message).toBe(
      'A/B comes twice in the list of symbols.',
    );
  });

  it('is quoted in one currency where an account is kept of it', () => {
    expect(requireOneQuote(['BTC/USDT', 'ETH/USDT'])).toBe('USDT');
    expect(refusal(() => requireOneQuote(['ETH/BTC', 'BTC/USDT', 'SOL/BTC'])).message).toBe(
      'The symbols are quoted in 2 currencies (BTC: ETH/BTC, SOL/BTC; USDT: BTC/USDT). One account is kept in one of them.',
    );
  });
});
