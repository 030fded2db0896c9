import { isAbsolute, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { parseYaml } from '../config/yaml.ts';
import { idleSettings } from '../config/idle.ts';
import type { Config } from '../config/schema.ts';
import { invariant } from '../../core/foundation/errors.ts';
import { type Log, silentLog } from '../../core/foundation/log.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { parseSymbols } from '../../core/market/symbols.ts';
import { plainText } from '../../core/foundation/plain-text.ts';
import { explainSystemError, FileError } from '../../data/file-errors.ts';
import { classify, Interrupted, UsageError } from './exit.ts';
import { keepAwake } from './keep-awake.ts';
import type { LogLevel } from './logging.ts';
import { createOutput, type Output } from './output.ts';
import { createRedactor } from '../config/redact.ts';
import { screenWidth, wrapped } from './wrap.ts';

export interface CommandContext {
  /** Validated and immutable. */
  readonly config: Config;
  readonly settings: LoadedConfig['settings'];
  /** JSON lines to the log folder, human lines to stderr. */
  readonly log: Log;
  /** The only thing that prints results. */
  readonly out: Output;
  /** Aborted by Ctrl-C: finish the durable step, then throw `signal.reason`. */
  readonly signal: AbortSignal;
  readonly seed: number;
  /** Settings of the command line, by dotted path, and the same as it would say them to another command. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly globals: readonly string[];
  /** Whether the command line itself has this option, such as `--folds`. */
  readonly given: (option: string) => boolean;
  /** The user has said that code of the project may run that nobody has agreed to yet. */
  readonly trust: boolean;
}

type Run = (
  context: CommandContext,
  options: Readonly<Record<string, unknown>>,
  ...args: string[]
) => Promise<void>;

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Options of every command. */
const GlobalOptions = z.object({
  config: z.string().optional(),
  json: z.boolean().default(false),
  logLevel: z.string().optional(),
  seed: z.string().optional(),
  set: z.array(z.string()).default([]),
  color: z.boolean().default(true),
  trust: z.boolean().default(false),
});

/**
 * Wraps a command's work: settings, log, output and Ctrl-C before it; the error message and the exit code
 * after it. A command that only looks at things says `logs: false` and starts a tenth of a second sooner. One that mends
 * the settings file says `readsFile: false`: it works where the file is not valid, with the settings that are without it.
 * `awake` keeps the machine from sleeping meanwhile.
 */
export function command(
  run: Run,
  {
    logs = true,
    readsFile = true,
    awake = false,
  }: { readonly logs?: boolean; readonly readsFile?: boolean; readonly awake?: boolean } = {},
): (...received: unknown[]) => Promise<void> {
  return async (...received) => {
    // commander passes the arguments, then the options, then the command itself.
    const self = received.at(-1);
    invariant(self instanceof Command, 'commander passes the command last');
    // One that may be left out and is: an empty text.
    const args = received
      .slice(0, -2)
      .map((value: unknown) => (typeof value === 'string' ? value : [value ?? ''].flat().map(String).join()));
    const options: Record<string, unknown> = self.optsWithGlobals();
    const redact = createRedactor(process.env);
    const colour =
      options['color'] !== false && process.env['NO_COLOR'] === undefined && process.stdout.isTTY === true;
    const width = options['wide'] === true ? undefined : screenWidth(process.stdout);
    const out = createOutput({ json: options['json'] === true, colour, width, redact });

    const interrupt = new AbortController();
    const seen = new Set<NodeJS.Signals>();
    const onSignal = (name: NodeJS.Signals): void => {
      if (seen.has(name)) process.exit(130);
      // Of a command that is a step of `demo`, Ctrl-C reaches both, and the parent passes it on as another signal.
      const passedOn = seen.size > 0;
      seen.add(name);
      if (passedOn) return;
      process.stderr.write('Stopping after the current step; press Ctrl-C again to stop at once.\n');
      interrupt.abort(new Interrupted());
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    let loaded: Config | undefined;
    const letSleep = awake ? keepAwake() : undefined;
    try {
      const { signal } = interrupt;
      refuseEmpty(self);
      const given = (option: string): boolean => isGiven(self, option);
      const context = await createContext(options, { out, colour, redact, logs, readsFile, signal, given });
      loaded = context.config;
      await run(context, options, ...args);
      out.end();
    } catch (error) {
      // What the disk refuses is worth more than that somebody wanted to stop.
      const interrupted = interrupt.signal.aborted && explainSystemError(error) === undefined;
      fail(interrupted && !(error instanceof FileError) ? interrupt.signal.reason : error, {
        out,
        redact,
        config: loaded,
      });
    } finally {
      letSleep?.();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  };
}

/** Prints an error where the caller looks for it and sets the exit code. */
export function fail(
  error: unknown,
  {
    out,
    redact,
    config,
  }: {
    readonly out: Pick<Output, 'end'>;
    readonly redact: (text: string) => string;
    readonly config?: Config | undefined;
  },
): void {
  const { exitCode, kind, message, hint: advice } = classify(error);
  process.exitCode = exitCode;
  if (exitCode === 0) return out.end();
  const setting = config === undefined ? undefined : settingOf(error, config);
  const hint = setting === undefined ? advice : `${advice ?? ''} The folder is set by ${setting}.`;
  const text = redact(plainText(`${message}\n${hint === undefined ? '' : `${hint}\n`}`));
  process.stderr.write(wrapped(text, screenWidth(process.stderr)));
  out.end({ kind, message, hint });
}

/** The setting that names the folder of a file that cannot be read or written. */
function settingOf(error: unknown, config: Config): string | undefined {
  const path = error instanceof FileError ? error.path : explainSystemError(error)?.path;
  if (path === undefined) return undefined;
  return (['checkpointDir', 'logDir', 'dataDir'] as const).find((name) => {
    const inside = relative(resolve(config[name]), resolve(path));
    return inside === '' || !(inside.startsWith('..') || isAbsolute(inside));
  });
}

/** `--run "$RUN"` with a variable that is not set: the default in its place would be another run than was meant. */
function refuseEmpty(self: Command | null): void {
  if (self === null) return;
  for (const option of self.options)
    if (
      option.long !== undefined &&
      isGiven(self, option.long) &&
      isBlank(self.getOptionValue(option.attributeName()))
    )
      throw new UsageError(`${option.long} is empty.`);
  refuseEmpty(self.parent);
}

const isBlank = (value: unknown): boolean => typeof value === 'string' && /^[\s,]*$/.test(value);

function isGiven(self: Command, option: string): boolean {
  const known = self.options.find(({ long }) => long === option);
  return known !== undefined && self.getOptionValueSource(known.attributeName()) === 'cli';
}

async function createContext(
  raw: Readonly<Record<string, unknown>>,
  surroundings: {
    out: Output;
    colour: boolean;
    redact: (text: string) => string;
    logs: boolean;
    readsFile: boolean;
    signal: AbortSignal;
    given: (option: string) => boolean;
  },
): Promise<CommandContext> {
  const options = GlobalOptions.parse(raw);
  const logLevel =
    options.logLevel === undefined ? undefined : oneOf('--log-level', options.logLevel, LOG_LEVELS);
  const seed = options.seed === undefined ? undefined : integer('--seed', options.seed, { least: 0 });
  const flags = { ...settingsOf(options.set), seed, 'log.level': logLevel };
  const globals = [
    ...(options.config === undefined ? [] : [`--config=${options.config}`]),
    ...options.set.map((text) => `--set=${text}`),
    ...(seed === undefined ? [] : [`--seed=${seed}`]),
  ];
  const { config, settings } = loadConfig({
    file: surroundings.readsFile ? (options.config ?? 'config.yaml') : '',
    fileRequired: surroundings.readsFile && options.config !== undefined,
    environment: process.env,
    flags,
  });
  const log = surroundings.logs ? await openLog(config, logLevel, surroundings) : silentLog;
  const { out, signal, given } = surroundings;
  if (surroundings.logs) for (const idle of idleSettings(config, settings)) out.notice(idle);
  return {
    config,
    settings,
    flags,
    globals,
    log,
    out,
    signal,
    given,
    seed: config.seed,
    trust: options.trust,
  };
}

/** `--set trading.feeBps=5`: the value as YAML has it. */
const settingsOf = (texts: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    texts.map((text) => {
      const [, path, value] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
      if (path === undefined || value === undefined)
        throw new UsageError(
          `--set cannot be "${text}": expected a setting and its value, such as trading.feeBps=5.`,
        );
      return [path, parseYaml(value, `--set ${path}`).value];
    }),
  );

async function openLog(
  config: Config,
  terminalLevel: LogLevel | undefined,
  { colour, redact }: { colour: boolean; redact: (text: string) => string },
): Promise<Log> {
  const { createLog } = await import('./logging.ts');
  return createLog({
    directory: config.logDir,
    rotation: config.log,
    fileLevel: config.log.level,
    terminalLevel: terminalLevel ?? terminalDefault(config.log.level),
    colour,
    redact,
    onUnwritable: ({ message, hint }) =>
      void process.stderr.write(redact(plainText(`Continuing without a log file. ${message} ${hint}\n`))),
  });
}

/** Results and progress are what a person watches; routine lines stay in the file unless asked for. */
const terminalDefault = (fileLevel: LogLevel): LogLevel => (fileLevel === 'error' ? 'error' : 'warn');

/** Throws `UsageError` for options that were given and would be ignored; `where` says in which case: "with --csv". */
export function refuseIgnored({ given }: CommandContext, options: readonly string[], where: string): void {
  const ignored = options.filter(given);
  if (ignored.length === 0) return;
  throw new UsageError(`${ignored.join(', ')} ${ignored.length === 1 ? 'does' : 'do'} nothing ${where}.`);
}

/** In any quote currency: sums of more are no longer exact to the unit. */
export const MOST_MONEY = 1e15;

/** Parsers of option values; what they reject is a wrong command line (exit code 2). */
export function oneOf<const T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} cannot be "${text}". ${suggest(text, known)}`);
}

export function integer(option: string, text: string, { least }: { least: number }): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && text.trim() !== '') return value;
  throw new UsageError(`${option} cannot be "${text}": expected a whole number, ${least} or more.`);
}

export function decimal(
  option: string,
  text: string,
  { least, most = Infinity }: { least: number; most?: number },
): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= most && text.trim() !== '') return value;
  const range = most === Infinity ? `${least} or more` : `between ${least} and ${most}`;
  throw new UsageError(`${option} cannot be "${text}": expected a number, ${range}.`);
}

/** `--symbols`: pairs separated by commas, each once. Without it `otherwise`, usually what the settings say. */
export function symbolsOf<Otherwise>(
  text: string | undefined,
  otherwise: Otherwise,
): readonly PairSymbol[] | Otherwise {
  if (text === undefined) return otherwise;
  const symbols = parseSymbols(list(text));
  if (symbols.length === 0) throw new UsageError('--symbols names no pair.');
  return symbols;
}

/** `a,b , c` as its entries. */
export const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
