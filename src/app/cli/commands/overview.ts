import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { listSessions, readStatus } from '../../../desk/paper/sessions.ts';
import { openStore } from '../../../data/store/store.ts';
import { activeRunId } from '../../../learning/training/active-run.ts';
import { listRuns } from '../../../learning/training/run-folder.ts';
import { command, type CommandContext } from '../command.ts';

export function register(program: Command): void {
  program
    .command('overview')
    .action(command(async (context, options) => overview(context, options), { logs: false }));
}

async function overview(context: CommandContext, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { config, out } = context;
  const file = typeof options['config'] === 'string' ? options['config'] : 'config.yaml';
  const configured = existsSync(file);
  const { exchange, market } = config;
  const stored = await openStore(config.dataDir).list();
  const wanted = market.symbols.map((symbol) => ({
    symbol,
    manifest: stored.find(
      (one) => one.exchange === exchange.id && one.symbol === symbol && one.timeframe === market.timeframe,
    ),
  }));
  const missing = wanted.filter(({ manifest }) => manifest === undefined).map(({ symbol }) => symbol);
  const newestMs = Math.min(...wanted.map(({ manifest }) => manifest?.lastTimeMs ?? -Infinity));
  const behindMs = Date.now() - newestMs - TIMEFRAME_MS[market.timeframe];
  const runs = await listRuns(config.checkpointDir);
  const active = await activeRunId(config.checkpointDir);
  const sessions = await Promise.all(
    (await listSessions(config.dataDir)).map((name) => readStatus(config.dataDir, name)),
  );
  const next = nextStep({
    configured,
    missing,
    stale: behindMs > 2 * TIMEFRAME_MS[market.timeframe],
    complete: runs.some(({ result }) => result !== undefined),
    unfinished: runs.find(({ result }) => result === undefined)?.runId,
    active,
    sessions: sessions.length,
    running: sessions.some(({ pid }) => pid !== undefined),
  });
  out.document({
    configFile: configured ? file : null,
    market: { exchange: exchange.id, timeframe: market.timeframe, symbols: market.symbols, missing },
    newestBar: Number.isFinite(newestMs) ? formatTime(newestMs) : null,
    runs: runs.length,
    activeRun: active ?? null,
    sessions: sessions.map(({ name, pid }) => ({ name, running: pid !== undefined })),
    next,
  });
  const candles =
    missing.length > 0
      ? `none of ${missing.join(', ')} ${market.timeframe} from ${exchange.id}`
      : `${wanted.length} pairs ${market.timeframe} from ${exchange.id}, until ${formatMinute(newestMs)}`;
  const trained =
    runs.length === 0
      ? 'nothing'
      : `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, ${active ?? 'none'} active`;
  const paper =
    sessions.length === 0
      ? 'no session'
      : sessions.map(({ name, pid }) => `${name} ${pid === undefined ? 'stopped' : 'running'}`).join(', ');
  out.print(`Settings  ${configured ? file : 'the defaults (there is no config.yaml)'}`);
  out.print(`Candles   ${candles}`);
  out.print(`Trained   ${trained}`);
  out.print(`Paper     ${paper}`);
  out.print(`\n${next.why} Next: ${next.command}`);
  out.print('All commands: crypto-trader --help');
}

interface Standing {
  readonly configured: boolean;
  readonly missing: readonly string[];
  readonly stale: boolean;
  readonly complete: boolean;
  readonly unfinished: string | undefined;
  readonly active: string | undefined;
  readonly sessions: number;
  readonly running: boolean;
}

/** The first thing that stands in the way of a running paper session. */
function nextStep(at: Standing): { readonly why: string; readonly command: string } {
  if (!at.configured && at.missing.length > 0 && !at.complete)
    return {
      why: 'This folder holds no project yet.',
      command: 'crypto-trader init (or crypto-trader demo for the whole job once)',
    };
  if (at.missing.length > 0) return { why: 'Candles are missing.', command: 'crypto-trader fetch' };
  if (at.unfinished !== undefined && !at.complete)
    return {
      why: `The run ${at.unfinished} was stopped.`,
      command: `crypto-trader train --mode resume --run ${at.unfinished}`,
    };
  if (!at.complete) return { why: 'Nothing is trained.', command: 'crypto-trader train --mode quick' };
  if (at.active === undefined)
    return { why: 'No run is active.', command: 'crypto-trader models activate <run>' };
  if (at.running) return { why: 'A paper session is running.', command: 'crypto-trader dashboard' };
  if (at.stale)
    return {
      why: 'The candles are not of today.',
      command: 'crypto-trader fetch, then crypto-trader signals',
    };
  if (at.sessions > 0)
    return { why: 'The paper session is stopped.', command: 'crypto-trader paper (it resumes where it was)' };
  return { why: 'Ready.', command: 'crypto-trader backtest, then crypto-trader paper' };
}
