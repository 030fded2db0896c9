import { spawn } from 'node:child_process';
import { UserError } from '../../core/foundation/errors.ts';
import { answersOf } from './jobs/outcome.ts';

/** How this program is started again, with the settings of the server: `node bin/crypto-trader.js ... --config x`. */
export interface Program {
  readonly bin: string;
  readonly globals: readonly string[];
  readonly folder: string;
}

export interface Ask {
  /**
   * The `--json` document of a short command, run in a process of its own: no model, no plug-in and no solver runs inside the
   * server. The same question asked twice at once is one process, and its answer is good for `freshMs`.
   * Throws `UserError` with the command's own words.
   */
  document(args: readonly string[], freshMs?: number): Promise<unknown>;
  /** What was answered before something changed is old. */
  forget(): void;
}

const MOST_AT_ONCE = 2;
const PATIENCE_MS = 120_000;
const LARGEST_BYTES = 64 * 2 ** 20;

export function createAsk(program: Program): Ask {
  const known = new Map<string, { readonly answer: Promise<unknown>; freshUntilMs: number }>();
  let running = 0;
  const waiting: (() => void)[] = [];

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= MOST_AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };

  return {
    document: (args, freshMs = 0) => {
      const nowMs = performance.now();
      // Nothing of a question stays once its answer is old: a server runs for months.
      for (const [asked, { freshUntilMs }] of known) if (freshUntilMs <= nowMs) known.delete(asked);
      const key = JSON.stringify(args);
      const before = known.get(key);
      if (before !== undefined) return before.answer;
      const answer = inTurn(() => run(program, args));
      const entry = { answer, freshUntilMs: Infinity };
      known.set(key, entry);
      void answer.then(
        () => (entry.freshUntilMs = performance.now() + freshMs),
        () => known.delete(key),
      );
      return answer;
    },
    forget: () => known.clear(),
  };
}

async function run({ bin, globals, folder }: Program, args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [bin, ...globals, '--json', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
    windowsHide: true,
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > LARGEST_BYTES) child.kill();
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const { document, error } = answersOf(text);
  // A check that failed has its findings in the document.
  if (document !== undefined) return document;
  throw new UserError(error?.message ?? `"crypto-trader ${args.join(' ')}" ended without an answer.`, {
    hint: error?.hint ?? 'Run it in a terminal: it says more there.',
  });
}
