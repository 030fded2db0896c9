import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';

const LONGEST_QUOTED = 60;

/** Runs a parser of the program inside zod, so that its message appears with the key it belongs to. */
export const parsed = <T>(parse: (text: string) => T) =>
  z.union([z.string(), z.date().transform((date) => date.toISOString())]).transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // The parsers quote what they were given, whole.
      const message = `${error.message} ${error.hint}`.replaceAll(text, plainLine(text, LONGEST_QUOTED));
      context.addIssue({ code: 'custom', message: plainLine(message) });
      return z.NEVER;
    }
  });

export const percent = (description: string) => z.number().min(0).max(100).describe(description);
export const exposure = (description: string) => z.number().min(0).max(12_500).describe(description);
export const distance = (description: string) =>
  z
    .number()
    .min(0.05, 'too small: write percent, 5 for 5 %')
    .max(1000)
    .describe(`${description}, in percent; default: none`);
export const multiple = (description: string) =>
  z.number().positive().max(1000).describe(`${description}; default: none`);
export const exchangeId = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]{1,40}$/, 'expected a ccxt exchange id, such as binance')
    .describe(description);
/** Of something in a registry, ours or the user's own. */
export const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected an id, such as cost-aware');
/** A NUL ends a path for the operating system, and a line break ends it for every reader of a message. */
export const path = (description: string) =>
  z
    .string()
    .min(1)
    .regex(/^\P{Cc}*$/u, 'expected a path without control characters')
    .describe(description);
/** Timers of Node end at 2^31 ms, and fire at once beyond. */
export const DAY_SECONDS = 86_400;
export const basisPoints = (description: string) => z.number().min(0).max(1000).describe(description);

export const bars = z.int().min(1).max(100_000);
