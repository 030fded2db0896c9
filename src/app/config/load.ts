import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { load as parseScalar } from 'js-yaml';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { nearest } from '../../core/foundation/nearest.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface LoadedConfig {
  readonly config: Config;
  /** Every setting in the order of the schema: dotted path, value, where it came from. */
  readonly settings: readonly { readonly path: string; readonly value: unknown; readonly origin: Origin }[];
}

export interface ConfigSources {
  /** Path of the YAML file. A file that was not asked for may be absent. */
  readonly file: string;
  readonly fileRequired: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Settings from flags, by dotted path. */
  readonly flags: Readonly<Record<string, unknown>>;
}

const ENVIRONMENT_PREFIX = 'CRYPTO_TRADER_';

/** Flag, then environment, then file, then default; the result is validated once, as a whole. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const document = readDocument(sources);
  const values = structuredClone(asRecord(document.value, sources.file));
  const origins = new Map<string, Origin>();

  const known = leafPaths();
  for (const [name, text] of Object.entries(sources.environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined) continue;
    const path = known.find((candidate) => environmentName(candidate) === name);
    if (path === undefined) {
      const meant = nearest(name, known.map(environmentName));
      throw new UserError(`Unknown setting "${name}" in the environment.`, {
        hint: meant ? `Did you mean ${meant}?` : 'See `crypto-trader config show` for every setting.',
      });
    }
    setPath(values, path, environmentValue(text, path));
    origins.set(path, 'environment');
  }
  for (const [path, value] of Object.entries(sources.flags)) {
    if (value === undefined) continue;
    setPath(values, path, value);
    origins.set(path, 'flag');
  }

  const result = ConfigSchema.safeParse(values);
  if (!result.success) throw explain(result.error, document, sources.file, origins);
  const config = result.data;
  const settings = known.flatMap((path) => {
    const value = getPath(config, path);
    const inFile = getPath(document.value, path) !== undefined;
    return [{ path, value, origin: origins.get(path) ?? (inFile ? 'file' : 'default') } as const];
  });
  return { config, settings };
}

/** `trading.feeBps` is overridden by `CRYPTO_TRADER_TRADING_FEE_BPS`. */
export const environmentName = (path: string): string =>
  ENVIRONMENT_PREFIX +
  path
    .replace(/\./g, '_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase();

function readDocument(sources: ConfigSources): YamlDocument {
  let source: string;
  try {
    source = readFileSync(sources.file, 'utf8');
  } catch (error) {
    if (!sources.fileRequired && isMissing(error)) return { value: {}, lineOf: () => 1 };
    throw new UserError(`Cannot read the configuration "${sources.file}".`, {
      hint: 'Pass an existing file with --config, or leave the option out to use config.yaml and the defaults.',
      cause: error,
    });
  }
  return parseYaml(source, basename(sources.file));
}

function explain(
  error: z.ZodError,
  document: YamlDocument,
  file: string,
  origins: ReadonlyMap<string, Origin>,
): UserError {
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        const siblings = leafPaths()
          .filter((leaf) => leaf.startsWith(issue.path.map((part) => `${String(part)}.`).join('')))
          .map((leaf) => leaf.split('.')[issue.path.length]);
        const meant = nearest(key, [...new Set(siblings)]);
        const parent = issue.path.length > 0 ? ` in "${issue.path.map(String).join('.')}"` : '';
        return `${where(path)} unknown key "${key}"${parent}.${meant ? ` Did you mean "${meant}"?` : ''}`;
      });
    }
    const dotted = issue.path.map(String).join('.');
    const found = getPath(document.value, dotted);
    const shown = found === undefined ? '' : ` (found ${JSON.stringify(found)})`;
    return [`${where(issue.path)} "${dotted}": ${issue.message}${shown}`];
  });
  function where(path: readonly PropertyKey[]): string {
    const dotted = path.map(String).join('.');
    const origin = origins.get(dotted);
    if (origin === 'environment') return `${environmentName(dotted)}:`;
    return origin === 'flag' ? 'command line:' : `${basename(file)}:${document.lineOf(path)}:`;
  }
  return new UserError(`The configuration is not valid.\n${lines.map((line) => `  ${line}`).join('\n')}`, {
    hint: 'Correct it, or see `crypto-trader config show` and the comments in config.yaml.',
  });
}

/** Dotted paths of every setting, read from the schema itself. */
function leafPaths(): readonly string[] {
  const walk = (schema: JsonSchema, prefix: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([key, child]) =>
      child.properties ? walk(child, `${prefix}${key}.`) : [`${prefix}${key}`],
    );
  leaves ??= walk(configJsonSchema(), '');
  return leaves;
}
let leaves: readonly string[] | undefined;

export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
}

/** JSON schema of config.yaml, for editors. */
export const configJsonSchema = (): JsonSchema =>
  z.toJSONSchema(ConfigSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** `10` is a number, `a,b` for a list a list, everything else text. */
function environmentValue(text: string, path: string): unknown {
  if (path === 'market.symbols') return text.split(',').map((entry) => entry.trim());
  return parseScalar(text);
}

function asRecord(value: unknown, file: string): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (isRecord(value)) return value;
  throw new UserError(
    `${basename(file)} holds a ${Array.isArray(value) ? 'list' : typeof value}, expected keys.`,
    {
      hint: 'Start from the config.yaml that comes with the program.',
    },
  );
}

function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const [head, ...rest] = path.split('.');
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const next = isRecord(child) ? child : {};
  target[head] = next;
  setPath(next, rest.join('.'), value);
}

function getPath(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined),
      value,
    );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
