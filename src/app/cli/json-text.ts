/** A JSON document as text that a terminal prints and does not obey: what it could obey stands escaped, and reads back. */
export const jsonText = (value: unknown): string => escapeUnprintable(JSON.stringify(value, undefined, 2));

/** JSON leaves C1 controls, bidi marks and invisible characters as they are; they stand only inside strings. */
export const escapeUnprintable = (json: string): string =>
  json.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const UNPRINTABLE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
