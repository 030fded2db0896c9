import { configJsonSchema, type JsonSchema } from '../config/load.ts';

/**
 * Settings that the web may read and not write: they say which files the program writes and runs, whom it talks to and shows a
 * key, and whether money is at stake. Whoever may change those has a terminal. Every address is one of them.
 */
const HANDS_OFF = [
  'exchange.mode',
  'exchange.sandbox',
  'live',
  'execution',
  'telegram',
  'notifiers',
  'series.custom',
  'text.feeds',
  'text.finbert',
  'advisor.providers',
  'advisor.usdPerDay',
  'advisor.tokensPerDay',
  'plugins',
  'dataDir',
  'checkpointDir',
  'tuningDir',
  'logDir',
];

export const writable = (path: string): boolean =>
  ![...HANDS_OFF, ...addresses()].some(
    (locked) => path === locked || path.startsWith(`${locked}.`) || locked.startsWith(`${path}.`),
  );

let known: readonly string[] | undefined;
const addresses = (): readonly string[] => (known ??= addressesIn(configJsonSchema(), ''));

function addressesIn({ format, properties = {} }: JsonSchema, path: string): readonly string[] {
  if (format === 'uri') return [path];
  return Object.entries(properties).flatMap(([name, inside]) =>
    addressesIn(inside, path === '' ? name : `${path}.${name}`),
  );
}
