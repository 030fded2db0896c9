import { basename } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { nearest } from '../../core/foundation/nearest.ts';
import { IN_PLAIN_WORDS, shownValue } from '../../core/foundation/plain-issues.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { readTextFile } from '../../data/text-file.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';
import { ENVIRONMENT_PREFIX } from './environment-prefix.ts';

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

/** A configuration is a few kilobytes; what is larger is another file. */
const LARGEST_FILE_BYTES = 2 ** 20;
const MOST_FAULTS_SHOWN = 20;

/** Flag, then environment, then file, then default; the result is validated once, as a whole. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const document = readDocument(sources);
  const values = structuredClone(asRecord(document.value, sources.file));
  const origins = new Map<string, Origin>();

  const leaves = settingLeaves();
  const known = leaves.map(({ path }) => path);
  for (const [name, text] of Object.entries(sources.environment)) {
    // `NAME=` in an .env file and `${NAME:-}` in a compose file set a variable to nothing: it is not set.
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined || text.trim() === '') continue;
    const leaf = leaves.find(({ path }) => environmentName(path) === name);
    if (leaf === undefined) {
      const meant = nearest(name, known.map(environmentName));
      throw new UserError(`Unknown setting "${plainLine(name, 80)}" in the environment.`, {
        hint: meant ? `Did you mean ${meant}?` : 'See `crypto-trader config show` for every setting.',
      });
    }
    setPath(values, leaf.path, environmentValue(text, leaf, name));
    origins.set(leaf.path, 'environment');
  }
  for (const [path, value] of Object.entries(sources.flags)) {
    if (value === undefined) continue;
    setPath(values, path, value);
    // `models.ridge.alpha` belongs to the setting `models`.
    origins.set(known.find((leaf) => path === leaf || path.startsWith(`${leaf}.`)) ?? path, 'flag');
  }

  const result = ConfigSchema.safeParse(values, IN_PLAIN_WORDS);
  if (!result.success) throw explain(result.error, { values, document, file: sources.file, origins });
  const config = result.data;
  const settings = known.map((path) => {
    const inFile = valueAt(document.value, path.split('.')) !== undefined;
    const origin = origins.get(path) ?? (inFile ? 'file' : 'default');
    return { path, value: valueAt(config, path.split('.')), origin } as const;
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
  const { file } = sources;
  const source = readTextFile({ path: file, what: 'the configuration', largestBytes: LARGEST_FILE_BYTES });
  if (source !== undefined) return parseYaml(source, basename(file));
  if (!sources.fileRequired) return { value: {}, lineOf: () => 1 };
  throw new UserError(`Cannot read the configuration "${file}": there is no such file.`, {
    hint: 'Pass an existing file with --config, or leave the option out to use config.yaml and the defaults.',
  });
}

function explain(
  error: z.ZodError,
  {
    values,
    document,
    file,
    origins,
  }: {
    readonly values: unknown;
    readonly document: YamlDocument;
    readonly file: string;
    readonly origins: ReadonlyMap<string, Origin>;
  },
): UserError {
  // As functions: of thousands of faults only those that are shown are put into words.
  const faults = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => () => {
        const meant = nearest(key, siblings(issue.path));
        const parent = issue.path.length > 0 ? ` in "${dotted(issue.path)}"` : '';
        const shown = plainLine(key, LONGEST_KEY_SHOWN);
        return `${where([...issue.path, key])} unknown key "${shown}"${parent}.${meant ? ` Did you mean "${meant}"?` : ''}`;
      });
    }
    return () => {
      const found = valueAt(values, issue.path);
      const shown = found === undefined ? '' : ` (found ${shownValue(found)})`;
      return `${where(issue.path)} "${dotted(issue.path)}": ${issue.message}${shown}`;
    };
  });
  function where(path: readonly PropertyKey[]): string {
    const setting = settingLeaves().find((leaf) => isBelow(path, leaf.path.split('.')))?.path ?? '';
    const origin = origins.get(setting) ?? [...origins].find(([key]) => isBelow(key.split('.'), path))?.[1];
    if (origin === 'environment') return `${environmentName(setting)}:`;
    return origin === 'flag' ? 'command line:' : `${basename(file)}:${document.lineOf(path)}:`;
  }
  const lines = faults.slice(0, MOST_FAULTS_SHOWN).map((text) => `  ${text()}`);
  if (faults.length > lines.length) lines.push(`  and ${faults.length - lines.length} more`);
  return new UserError(`The configuration is not valid.\n${lines.join('\n')}`, {
    hint: 'Correct it, or see `crypto-trader config show` and the comments in config.yaml.',
  });
}

const LONGEST_KEY_SHOWN = 60;
const dotted = (path: readonly PropertyKey[]): string =>
  plainLine(path.map(String).join('.'), LONGEST_KEY_SHOWN);

/** Settings and sections that may stand where `path` ends. */
const siblings = (path: readonly PropertyKey[]): readonly string[] => [
  ...new Set(
    settingLeaves()
      .map((leaf) => leaf.path.split('.'))
      .filter((leaf) => leaf.length > path.length && isBelow(leaf, path))
      .map((leaf) => leaf[path.length]),
  ),
];

const isBelow = (path: readonly PropertyKey[], parent: readonly PropertyKey[]): boolean =>
  parent.every((key, i) => String(path[i]) === String(key));

/** A setting of the schema: its dotted path, and what its text in the environment is read as. */
interface SettingLeaf {
  readonly path: string;
  readonly kind: 'number' | 'boolean' | 'list' | 'sections' | 'text';
}

/** Every setting, read from the schema itself. */
function settingLeaves(): readonly SettingLeaf[] {
  const walk = (schema: JsonSchema, prefix: string): SettingLeaf[] =>
    Object.entries(schema.properties ?? {}).flatMap(([key, child]) =>
      child.properties ? walk(child, `${prefix}${key}.`) : [{ path: `${prefix}${key}`, kind: kindOf(child) }],
    );
  leaves ??= walk(configJsonSchema(), '');
  return leaves;
}
let leaves: readonly SettingLeaf[] | undefined;

function kindOf({ type }: JsonSchema): SettingLeaf['kind'] {
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'boolean') return 'boolean';
  if (type === 'array') return 'list';
  return type === 'object' ? 'sections' : 'text';
}

export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
}

/** JSON schema of config.yaml, for editors. */
export const configJsonSchema = (): JsonSchema =>
  z.toJSONSchema(ConfigSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** `10` is a number where a number belongs, `a,b` a list where a list does; what is neither stays text, for the schema to refuse. */
function environmentValue(text: string, { kind }: SettingLeaf, name: string): unknown {
  switch (kind) {
    case 'number':
      return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : text;
    case 'boolean':
      return /^\s*(true|false)\s*$/i.test(text) ? /true/i.test(text) : text;
    case 'list':
      return text.split(',').map((entry) => entry.trim());
    case 'sections':
      return parseYaml(text, name).value;
    case 'text':
      return text;
  }
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

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) =>
      (isRecord(at) || Array.isArray(at)) && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined,
    value,
  );

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
