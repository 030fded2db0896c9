import { statSync } from 'node:fs';
import type { Log } from '../../core/foundation/log.ts';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Store } from '../../data/store/store.ts';
import type { Ask } from './ask.ts';
import type { Converse } from './converse.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Live } from './live.ts';

/** What every route works with. */
export interface Served {
  /** The settings as the file has them now. Throws `UserError` when it is not valid. */
  readonly settings: () => LoadedConfig;
  readonly settingsFile: string;
  readonly store: Store;
  readonly log: Log;
  readonly startedAtMs: number;
  /** Short commands of the program, each in a process of its own. */
  readonly ask: Ask;
  /** One that answers while it works. */
  readonly converse: Converse;
  readonly jobs: Jobs;
  readonly live: Live;
  /** What is kept out of answers is read from the environment again. */
  readonly secretsChanged: () => void;
  /** A JSON answer without secrets. */
  readonly json: (value: unknown, status?: number) => Response;
}

/** Settings that are read again when their file has changed. */
export function createSettings(sources: ConfigSources): () => LoadedConfig {
  let known: { readonly stamp: string; readonly loaded: LoadedConfig } | undefined;
  return () => {
    const found = statSync(sources.file, { throwIfNoEntry: false });
    const stamp = found === undefined ? '' : `${found.mtimeMs} ${found.size} ${found.ino}`;
    if (known?.stamp !== stamp) known = { stamp, loaded: loadConfig(sources) };
    return known.loaded;
  };
}

/** Builds JSON answers; `redact` sees the whole text. */
export const jsonAnswers =
  (redact: (text: string) => string) =>
  (value: unknown, status = 200): Response =>
    new Response(redact(JSON.stringify(value ?? null)), {
      status,
      headers: { 'Content-Type': 'application/json; charset=UTF-8', 'Cache-Control': 'no-store' },
    });
