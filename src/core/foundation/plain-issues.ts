import type { z } from 'zod';
import { plainLine } from './plain-text.ts';
import { nearest } from './nearest.ts';

/**
 * Parse parameters that say in plain words what a schema expected and what it found:
 * `schema.parse(value, IN_PLAIN_WORDS)`. Messages that a schema brings itself stay as they are.
 */
export const IN_PLAIN_WORDS: { readonly error: z.core.$ZodErrorMap } = {
  error: (issue) => {
    const wanted = expectation(issue);
    if (wanted === undefined) return undefined;
    return issue.input === undefined ? `missing, expected ${wanted}` : `expected ${wanted}`;
  },
};

/** One line for each fault: where it stands, what was expected. */
export const issueLines = (error: z.ZodError): readonly string[] =>
  error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `"${plainLine(path.map(String).join('.'))}": ${message}`,
  );

const LONGEST_SHOWN = 60;

/** A value as an error shows it: JSON on one line, cut. */
export function shownValue(value: unknown): string {
  if (typeof value === 'number') return String(value); // JSON has no NaN and no infinity
  return plainLine(JSON.stringify(value) ?? typeof value, LONGEST_SHOWN);
}

function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values.map(shownValue), issue.input);
    case 'too_small':
      return bounded(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bounded(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'an address such as https://example.org/' : `text like ${issue.format}`;
    case 'invalid_union':
      return issue.discriminator !== undefined ? 'one of the known kinds' : alternatives(issue.errors);
    case 'invalid_key':
      return 'another name';
    case 'unrecognized_keys':
      return `no key ${issue.keys.map((key) => `"${plainLine(key, LONGEST_SHOWN)}"`).join(', ')}`;
    case 'invalid_element':
    case 'custom':
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  date: 'a date',
};

const oneOf = (known: readonly string[], found: unknown): string => {
  const meant = typeof found === 'string' ? nearest(`"${found}"`, known) : undefined;
  const list = known.length === 1 ? known[0] : `one of ${known.join(', ')}`;
  return meant === undefined ? list : `${list} (did you mean ${meant}?)`;
};

function bounded(origin: string, limit: number | bigint, comparison: string): string {
  if (origin === 'string' && comparison === 'at least' && limit === 1) return 'text that is not empty';
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
  return `${comparison} ${limit}${unit}`;
}

const alternatives = (branches: readonly (readonly z.core.$ZodIssue[])[]): string | undefined => {
  const wanted = branches.flatMap(([first]) => {
    const type = first?.code === 'invalid_type' ? TYPES[first.expected] : undefined;
    return type === undefined ? [] : [type];
  });
  return wanted.length === 0 ? undefined : wanted.join(' or ');
};
