import { plainText } from '../../core/foundation/plain-text.ts';

/** A call of a tool, and what the model was given for it. */
export interface ToolCall {
  readonly tool: string;
  readonly input: unknown;
  readonly result: unknown;
}

export interface Figures {
  /** Figures of the answer that a tool returned, and those that none did. */
  readonly cited: number;
  readonly unsupported: readonly string[];
}

/** Marks the figures of an answer while it comes in. */
export interface Annotator {
  /** What can be shown now. */
  push(text: string): string;
  /** The rest. */
  end(): string;
  readonly figures: Figures;
}

/** What stands behind a figure that no tool returned. */
export const UNSUPPORTED = '[?]';

/**
 * Puts behind every figure of an answer the number of the call that returned it, `[2]`, or `[?]` where none did. A figure
 * counts as returned when a result holds a number that rounds to it, whatever its sign, or a text that contains it. `calls` are those made so
 * far; marks that the model writes itself are taken out.
 */
export function annotate(calls: readonly ToolCall[]): Annotator {
  const known: Evidence[] = [];
  const unsupported: string[] = [];
  let cited = 0;
  let waiting = '';
  let lineStart = true;
  const marked = (word: string): string => {
    const own = word.replaceAll(/\[\s*(?:\d+|\?)\s*\]/g, '');
    const found = /^([^\p{L}\p{N}+\-−.]*)(.*?)([^\p{L}\p{N}%]*)$/u.exec(own);
    const [, before = '', core = '', after = ''] = found ?? [];
    if (!/\d/.test(core)) return own;
    // `1.` at the start of a line numbers a list.
    if (lineStart && /^\d{1,2}$/.test(core) && /^[.)]/.test(after)) return own;
    while (known.length < calls.length) known.push(evidenceOf(calls[known.length]));
    const at = known.findLastIndex((evidence) => supports(evidence, core));
    if (at < 0) unsupported.push(core);
    else cited++;
    return `${before}${core}${at < 0 ? UNSUPPORTED : `[${at + 1}]`}${after}`;
  };
  const words = (text: string): string =>
    text
      .split(/(\s+)/)
      .map((part) => {
        if (part === '') return '';
        const shown = /^\s+$/.test(part) ? part : marked(part);
        lineStart = /\n\s*$/.test(part) || (lineStart && /^(\s+|[-*#>]+)$/.test(part));
        return shown;
      })
      .join('');
  return {
    push: (text) => {
      waiting += plainText(text);
      const whole = /^[^]*\s(?=\S*$)/.exec(waiting)?.[0] ?? '';
      waiting = waiting.slice(whole.length);
      return words(whole);
    },
    end: () => {
      const rest = words(waiting);
      waiting = '';
      return rest;
    },
    get figures() {
      return { cited, unsupported: [...unsupported] };
    },
  };
}

interface Evidence {
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
}

/** Every number and text of a result, and of what was asked for. */
function evidenceOf({ tool, input, result }: ToolCall): Evidence {
  const numbers: number[] = [];
  const texts: string[] = [tool];
  const walk = (value: unknown): void => {
    if (typeof value === 'number') numbers.push(value);
    else if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null)
      for (const [key, one] of Object.entries(value)) {
        if (!Array.isArray(value)) texts.push(key);
        walk(one);
      }
  };
  walk(input);
  walk(result);
  return { numbers, texts };
}

const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, mn: 1e6, b: 1e9, bn: 1e9, t: 1e12 };

function supports({ numbers, texts }: Evidence, word: string): boolean {
  const plain = word.replaceAll('−', '-');
  if (texts.some((text) => isWordOf(text, plain))) return true;
  const found = /^([+-]?)[$€£]?(\d[\d,_]*)(\.\d+)?\s*(%|[a-z]{1,4})?$/i.exec(plain);
  if (found === null) return false;
  const [, , whole, fraction = '', unit = ''] = found;
  const scale = SUFFIXES[unit.toLowerCase()] ?? 1;
  const value = Number(whole.replaceAll(/[,_]/g, '') + fraction);
  // Half of the last digit that is shown, and what binary fractions add.
  const tolerance = 0.5 * 10 ** -Math.max(0, fraction.length - 1) * (1 + 1e-9);
  return numbers.some((number) => Math.abs(Math.abs(number) / scale - value) <= tolerance);
}

/** `2026-02-13` of `2026-02-13T00:00:00Z`; but not `5` of `rsi_15`. */
const isWordOf = (text: string, word: string): boolean =>
  text === word || (word.length >= 4 && (text.startsWith(word) || text.endsWith(word)));
