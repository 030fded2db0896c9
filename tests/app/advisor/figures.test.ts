import fc from 'fast-check';
import { expect, test } from 'vitest';
import { annotate, type ToolCall } from '../../../src/app/advisor/figures.ts';

const calls: readonly ToolCall[] = [
  {
    tool: 'market',
    input: { symbol: 'BTC/USDT', window: '7d', asOf: 'now' },
    result: {
      close: 68_120.4,
      returnPct: -3.218,
      lastBarClosed: '2026-02-13T11:00:00.000Z',
      low: 0.00012345,
    },
  },
  {
    tool: 'features',
    input: { names: ['rsi_14'] },
    result: { values: { rsi_14: 41.25 }, volume: 1_234_567 },
  },
];
const marked = (text: string): string => {
  const annotator = annotate(calls);
  return annotator.push(text) + annotator.end();
};

test.each([
  // As a result has it, rounded, with separators, units and either sign.
  ['closed at 68120.4', 'closed at 68120.4[1]'],
  ['about 68,120 USDT.', 'about 68,120[1] USDT.'],
  ['near $68.1k', 'near $68.1k[1]'],
  ['fell 3.22%, or −3.2 %', 'fell 3.22%[1], or −3.2[1] %'],
  ['a volume of 1.23M', 'a volume of 1.23M[2]'],
  ['RSI (41.25)', 'RSI (41.25[2])'],
  ['low of 0.000123', 'low of 0.000123[1]'],
  // Names and times that were in a call or its result.
  ['rsi_14 is 41.3', 'rsi_14[2] is 41.3[2]'],
  ['on 2026-02-13', 'on 2026-02-13[1]'],
  ['over 7d', 'over 7d[1]'],
  // Nobody returned these.
  ['closed at 68,121.4', 'closed at 68,121.4[?]'],
  ['fell 3.3 %', 'fell 3.3[?] %'],
  ['on 2026-02-14', 'on 2026-02-14[?]'],
  ['a 90% chance', 'a 90%[?] chance'],
  ['RSI_21', 'RSI_21[?]'],
  ['41.25x leverage', '41.25x[2] leverage'],
  // Lists are numbered; a mark of the model's own counts for nothing.
  ['1. Buy\n2) Sell', '1. Buy\n2) Sell'],
  ['99[1] and 98 [2]', '99[?] and 98[?] '],
  ['no figures here', 'no figures here'],
])('%j becomes %j', (text, expected) => expect(marked(text)).toBe(expected));

test('an answer is marked the same in whatever pieces it comes', () => {
  const text = 'BTC closed at 68,120, fell 3.2 %\n1. RSI is 41.25 and 99 [1] on 2026-02-13.';
  const whole = marked(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), (lengths) => {
      const annotator = annotate(calls);
      let [out, at] = ['', 0];
      for (const length of lengths) {
        out += annotator.push(text.slice(at, at + length));
        at += length;
      }
      expect(out + annotator.push(text.slice(at)) + annotator.end()).toBe(whole);
    }),
  );
});

test('what a terminal would obey is taken out', () => {
  expect(marked('\u001b]0;title\u0007calm \u001b[31mred\u001b[0m \u202Eevil')).toBe('calm red evil');
});

test('a figure is not supported by a call that comes later', () => {
  const made: ToolCall[] = [];
  const annotator = annotate(made);
  const early = annotator.push('It is 41.25 now. ');
  made.push(calls[1]);
  expect(early + annotator.push('It is 41.25.') + annotator.end()).toBe(
    'It is 41.25[?] now. It is 41.25[1].',
  );
});
