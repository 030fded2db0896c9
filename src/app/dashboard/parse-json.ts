import { plainText } from '../../core/foundation/plain-text.ts';

/** The value of a JSON line, with texts as a terminal may draw them; `undefined` for one that is no JSON. */
export function parseJson(line: string): unknown {
  try {
    return JSON.parse(line, (_, value: unknown) => (typeof value === 'string' ? plainText(value) : value));
  } catch {
    return undefined;
  }
}
