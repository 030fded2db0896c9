/**
 * Settings that the web may read and not write: they say which files the program writes and runs, whom it talks to and shows a
 * key, and whether money is at stake. Whoever may change those has a terminal.
 */
const HANDS_OFF = [
  'exchange.mode',
  'exchange.sandbox',
  'live',
  'exchange.baseUrl',
  'fetch.yahooUrl',
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
  !HANDS_OFF.some(
    (locked) => path === locked || path.startsWith(`${locked}.`) || locked.startsWith(`${path}.`),
  );
