import { plainText } from '../../core/foundation/plain-text.ts';

/** Printable ASCII without a backslash: nothing in its strings has to be taken out, and parsing is several times as fast. */
const HARMLESS = /^[ !#-[\]-~"]*$/;

/** The value of a JSON line, with texts as a terminal may draw them; `undefined` for one that is no JSON. */
export function parseJson(line: string): unknown {
  try {
    if (HARMLESS.test(line)) return JSON.parse(line);
    return JSON.parse(line, (_, value: unknown) => (typeof value === 'string' ? plainText(value) : value));
  } catch {
    return undefined;
  }
}
