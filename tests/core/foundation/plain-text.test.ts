import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainLine, plainText } from '../../../src/core/foundation/plain-text.ts';

describe('plainText', () => {
  test.each([
    { name: 'a colour', text: 'a\x1b[1;31mb\x1b[0mc', plain: 'abc' },
    { name: 'a cleared screen', text: '\x1b[2J\x1b[Hgone', plain: 'gone' },
    { name: 'a window title', text: 'x\x1b]0;owned\x07y', plain: 'xy' },
    { name: 'a hyperlink', text: '\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\', plain: 'click' },
    { name: 'a clipboard write', text: '\x1b]52;c;cm0gLXJm\x07ok', plain: 'ok' },
    { name: 'a device control string', text: 'a\x1bP$qm\x1b\\b', plain: 'ab' },
    { name: 'an application command', text: 'a\x1b_Gf=100\x1b\\b', plain: 'ab' },
    { name: 'the C1 forms of them', text: 'a\x9b31mb\x9d0;t\x9cc\x90q\x9cd', plain: 'abcd' },
    { name: 'a full reset', text: 'a\x1bcb', plain: 'ab' },
    { name: 'a character set', text: 'a\x1b(0b', plain: 'ab' },
    { name: 'a sequence that never ends', text: 'a\x1b]0;rest of the line', plain: 'a0;rest of the line' },
    { name: 'an escape at the end', text: 'a\x1b', plain: 'a' },
    { name: 'an escape within an escape', text: '\x1b\x1b[31m[31mx', plain: '[31mx' },
    { name: 'backspaces, bells and NUL', text: 'a\b\b\x07\0b', plain: 'ab' },
    { name: 'delete', text: 'a\x7fb', plain: 'ab' },
    { name: 'a line rewritten by a carriage return', text: 'bad\rgood', plain: 'bad\ngood' },
    { name: 'other line breaks', text: 'a\r\nb\u2028c\u2029d\x85e', plain: 'a\nb\nc\nd\ne' },
    { name: 'text turned round', text: 'file\u202egpj.exe\u202c', plain: 'filegpj.exe' },
    { name: 'isolates and marks', text: '\u2066a\u2069\u200eb\u200f\u061cc', plain: 'abc' },
    { name: 'zero-width characters', text: 'BTC\u200b/\u2060USDT\ufeff', plain: 'BTC/USDT' },
    { name: 'tags', text: 'a\u{e0041}\u{e007f}b', plain: 'ab' },
    {
      name: 'ordinary text of any script',
      text: 'Kurs: 5 €\tπ 日本 שלום 👩‍💻\n',
      plain: 'Kurs: 5 €\tπ 日本 שלום 👩‍💻\n',
    },
  ])('removes $name', ({ text, plain }) => {
    expect(plainText(text)).toBe(plain);
  });

  test('leaves nothing behind that a terminal obeys, whatever comes', () => {
    const pieces = fc.constantFrom(
      '\x1b',
      '\x1b[',
      '\x1b]',
      '\x9b',
      '\x9d',
      '\x07',
      '\x1b\\',
      '\u202e',
      '1;3',
      'm',
      ' x',
      '\r',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 20 }),
        (parts) => {
          const plain = plainText(parts.join(''));
          expect(plain).not.toMatch(
            /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u,
          );
          expect(plainText(plain)).toBe(plain);
        },
      ),
    );
  });

  test('takes time in proportion to the text', () => {
    for (const piece of ['\x1b]', '\x1b[', '\x1b[1;', '\x1b ', '\x9d0;a', '\x9b1;', 'a\x9f'])
      expect(plainText(piece.repeat(400_000))).not.toMatch(/[\x1b\x80-\x9f]/);
  });
});

describe('plainLine', () => {
  test('is one line of at most the given length, and never half of a character', () => {
    expect(plainLine('  one\n\n two\t\x1b[1mthree  ')).toBe('one two three');
    expect(plainLine('abcdef', 4)).toBe('abc…');
    expect(plainLine('ab👩cd', 4)).toBe('ab…');
  });

  test('reads no more of a long body than it needs', () => {
    expect(plainLine(`${'\x1b]'.repeat(5_000_000)}`, 50).length).toBeLessThanOrEqual(50);
  });
});
