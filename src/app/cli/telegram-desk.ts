import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { acquireLock } from '../../data/lock.ts';
import type { HttpChannel } from '../../desk/notify/channel.ts';
import { createCommands, type Desk } from '../../desk/notify/commands.ts';
import { listenToTelegram } from '../../desk/notify/telegram.ts';
import { writeControl } from '../../desk/paper/controls.ts';
import type { BarRecord, PositionRecord } from '../../desk/paper/record.ts';
import { listSessions, readStatus, sessionFolder } from '../../desk/paper/sessions.ts';
import type { Config } from '../config/schema.ts';
import { liveSessions, liveStanding } from '../workflows/live-standing.ts';
import { channelsFrom } from './notices.ts';

/** A session of either kind, as far as anybody asks from afar. */
interface Standing {
  readonly name: string;
  readonly folder: string;
  readonly pid: number | undefined;
  readonly mode: string;
  readonly equity: number;
  readonly positions: readonly PositionRecord[];
  readonly symbols: readonly string[];
  readonly last: Pick<BarRecord, 'timeMs' | 'targets' | 'wanted' | 'models'> | undefined;
}

/** Between two attempts to be the one that listens. */
const LOCK_RETRY_MS = 60_000;

/**
 * Answers commands of the configured Telegram chat while the program runs, when `telegram.commands` says so. Of several programs of
 * a project one listens; another takes over when it ends.
 */
export function answerTelegram(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
  { log, now }: { readonly log: Log; readonly now: () => number },
): { close(): Promise<void> } {
  const channel = channelsFrom(environment).find(
    (one): one is Extract<HttpChannel, { kind: 'telegram' }> => one.kind === 'telegram',
  );
  const { commands } = config.telegram;
  if (channel === undefined || commands === 'off') return { close: async () => undefined };
  const stop = new AbortController();
  const { signal } = stop;
  const answer = createCommands(deskOf(config.dataDir, log), { mayControl: commands === 'control', now });
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const lock = await acquireLock(join(config.dataDir, 'telegram.lock'), {
          waitMs: 0,
          purpose: 'answering Telegram',
        });
        try {
          await listenToTelegram({ channel, answer, log, signal, now });
        } finally {
          await lock.release();
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        log.debug({}, error.message);
        await sleep(LOCK_RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const running = run().catch((error: unknown) => {
    log.error({}, `telegram commands stopped: ${error instanceof Error ? error.message : String(error)}`);
  });
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

function deskOf(dataDir: string, log: Log): Desk {
  const all = () => standings(dataDir);
  return {
    sessions: async () => (await all()).map(({ name }) => name),
    status: async () =>
      (await all())
        .map(
          ({ name, pid, mode, equity, last }) =>
            `${name}: ${pid === undefined ? 'NOT RUNNING' : 'runs'}, ${mode}, equity ${equity.toFixed(2)}, last bar ${last === undefined ? 'none yet' : formatMinute(last.timeMs)}`,
        )
        .join('\n') || 'There is no session.',
    positions: async () =>
      (await all())
        .flatMap(({ name, positions }) => [
          `${name}: ${positions.length === 0 ? 'nothing is held' : `${positions.length} positions`}`,
          ...positions.map(
            ({ symbol, baseAmount, entryPrice, markPrice }) =>
              `  ${baseAmount} ${symbol}, bought at ${short(entryPrice)}, now ${short(markPrice)} (${(100 * (markPrice / entryPrice - 1)).toFixed(2)} %)`,
          ),
        ])
        .join('\n') || 'There is no session.',
    signals: async () => (await all()).flatMap(signalLines).join('\n') || 'There is no session.',
    control: async (name, mode) => {
      const found = (await all()).find((one) => one.name === name);
      if (found === undefined) return `The session ${name} is gone.`;
      await writeControl(found.folder, { mode, sinceMs: Date.now() });
      log.info({ session: name, mode }, 'telegram control');
      return `${name} is ${mode === 'pause' ? 'paused' : 'flattened'}${found.pid === undefined ? '; no process runs it now: this holds from its next start on' : ' from its next bar on'}.`;
    },
  };
}

function signalLines({ name, symbols, last }: Standing): readonly string[] {
  if (last === undefined) return [`${name}: no bar yet`];
  return [
    `${name}, bar of ${formatMinute(last.timeMs)}:`,
    ...symbols.map((symbol, s) => {
      const wanted = last.wanted?.[s] ?? last.targets[s];
      const models = Object.entries(last.models).flatMap(([model, opinions]) => {
        const opinion = opinions[s];
        return opinion ? [`${model} ${opinion[0].toFixed(2)}`] : [];
      });
      return `  ${symbol}: ${wanted === null || wanted === undefined ? 'nothing new' : `wants ${(100 * wanted).toFixed(0)} %`}${models.length === 0 ? '' : ` (${models.join(', ')})`}`;
    }),
  ];
}

async function standings(dataDir: string): Promise<readonly Standing[]> {
  const paper = await Promise.all(
    (await listSessions(dataDir)).map(async (name): Promise<Standing> => {
      const { session, last, control, pid } = await readStatus(dataDir, name);
      return {
        name: `paper/${name}`,
        folder: sessionFolder(dataDir, name),
        pid,
        mode: modeText(control?.mode),
        equity: last?.equity ?? session.rules.initialBalance,
        positions: last?.positions ?? [],
        symbols: session.instruments.map(({ symbol }) => symbol),
        last,
      };
    }),
  );
  const live = await Promise.all(
    liveSessions(dataDir).map(async (name): Promise<Standing> => {
      const { folder, state, pid } = await liveStanding(dataDir, name, Date.now());
      const { session, account, last, halt } = state;
      return {
        name: `live/${name}`,
        folder,
        pid,
        mode: halt === undefined ? (last?.decision ?? 'trading') : `STOPPED: ${halt}`,
        equity: account.equity(),
        positions: account.positions(),
        symbols: session.instruments.map(({ symbol }) => symbol),
        last,
      };
    }),
  );
  return [...paper, ...live];
}

const modeText = (mode: 'trade' | 'pause' | 'flatten' | undefined): string =>
  ({ trade: 'trading', pause: 'paused', flatten: 'flattened' })[mode ?? 'trade'];

const short = (value: number): string => String(Number(value.toPrecision(8)));
