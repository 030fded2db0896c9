import { parseEnv } from 'node:util';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { readTextFile } from '../../data/text-file.ts';
import { ENVIRONMENT_PREFIX } from '../config/environment-prefix.ts';

const LARGEST_BYTES = 2 ** 20;

/**
 * Adds the variables of an `.env` file to `environment`. What is set there already wins, but for settings of this
 * program that are set to nothing. A file that is absent sets nothing; a line that sets nothing is a `UserError`.
 */
export function loadEnvironmentFile(path: string, environment: NodeJS.ProcessEnv): void {
  const text = readTextFile({
    path,
    what: 'the environment file',
    largestBytes: LARGEST_BYTES,
  });
  if (text === undefined) return;
  const variables = parseEnv(text);
  requireUnderstood(path, text, Object.keys(variables));
  for (const [name, value] of Object.entries(variables)) {
    const present = environment[name];
    const unset = present === undefined || (present.trim() === '' && name.startsWith(ENVIRONMENT_PREFIX));
    // A NUL ends a variable for the operating system: what is after it would be lost.
    if (unset && value !== undefined && !value.includes('\0')) environment[name] = value;
  }
}

/** Node's parser joins a line without "=" to the name on the next one, and drops it at the end of the file. */
function requireUnderstood(path: string, text: string, names: readonly string[]): void {
  const joined = names.find((name) => !/^[\w.-]+$/.test(name))?.split('\n')[0];
  const lines = text.trimEnd().split('\n');
  for (const [index, line] of lines.entries()) {
    // Elsewhere a word alone may be part of a value in quotes.
    const cut = index === lines.length - 1 ? /^\s*(?:export\s+)?(\w+)\s*$/.exec(line)?.[1] : undefined;
    const own = cut ?? /^\s*(?:export\s+)?(CRYPTO_TRADER_\w*|EXCHANGE_API_\w*)/.exec(line)?.[1];
    const lost = own !== undefined && !names.includes(own);
    if (!lost && (joined === undefined || line.trim() !== joined.trim())) continue;
    // What stands behind the name may be a secret.
    const shown = own ?? plainLine(line.split(/[:\s]/)[0], 40);
    throw new UserError(
      `"${path}", line ${index + 1} sets nothing: it begins with "${shown}" and is no NAME=value.`,
      {
        hint: 'Write each setting as NAME=value on a line of its own, and comments behind "#".',
      },
    );
  }
}
