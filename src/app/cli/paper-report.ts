import { describeVerdict } from '../../core/trading/risk/verdict-text.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { endText } from '../../core/market/history-end.ts';
import { type BarRecord, strategyOf } from '../../desk/paper/record.ts';
import type { Cycle, RunSummary } from '../../desk/paper/run.ts';
import type { PaperSession } from '../../desk/paper/session.ts';
import type { OpeningEvent, OpenPaper, SilentPair } from '../workflows/paper.ts';
import type { CommandContext } from './command.ts';
import type { SessionNotices } from './notices.ts';
import { eventText, POSITION_HEAD, positionRows, reasonLines, ruinText, waiting } from './paper-text.ts';
import { untrainedText } from './run-options.ts';

export const sayOpening =
  (out: CommandContext['out']) =>
  (event: OpeningEvent): void => {
    switch (event.kind) {
      case 'note':
        return out.notice(event.text);
      case 'untrained':
        return out.print(untrainedText(event.runId, event.symbols));
      case 'run-kept':
        return out.print(
          `The session keeps its training run ${event.runId}; the active one is ${event.activeRunId}. To trade with that: paper --run ${event.activeRunId}`,
        );
      case 'run-changed':
        return out.print(`The session changes from the training run ${event.from} to ${event.to}.`);
    }
  };

/** What the session is and how it was found. */
export function introduce(
  { out, log }: CommandContext,
  { session: opened, trained, sinceMs, smallBalance, ended }: OpenPaper,
): void {
  const { session, last, recovery } = opened;
  const { sessionId, synthetic } = session;
  log.info({ sessionId, runId: trained.runId, ...recovery }, 'paper session');
  if (synthetic) out.print('SYNTHETIC candles: results say nothing about any market.');
  if (session.feed === 'stored')
    out.print(
      `A replay of stored bars from ${formatMinute(sinceMs)} on, which training has not seen: the past, not the market now.`,
    );
  out.print(
    last === undefined
      ? `Paper session ${sessionId}, new; models of ${trained.runId}; decided by ${strategyOf(session).id}.`
      : `Paper session ${sessionId}, resumed after the bar of ${formatMinute(last.timeMs)}; ${recovery.barsReplayed} bars of the ledger replayed; models of ${trained.runId}; decided by ${strategyOf(session).id}.`,
  );
  if (recovery.tornBytes > 0) {
    out.print(
      `The last line of the ledger was cut off by a crash (${recovery.tornBytes} bytes): its bar is processed again.`,
    );
    log.warn({ tornBytes: recovery.tornBytes }, 'a torn last line of the ledger was dropped');
  }
  const ends = ended.map((one) => `${endText(one)}; no signal and no trade there.`);
  for (const line of [...(smallBalance === undefined ? [] : [smallBalance]), ...ends]) {
    out.print(line);
    log.warn({}, line);
  }
}

const NOT_PLACED: Readonly<Record<Exclude<BarRecord['decision'], 'placed'>, string>> = {
  missed: 'missed: nothing ordered',
  paused: 'paused: nothing ordered',
  flattened: 'flattened: everything is closed at the next open',
};

/** Bars of an exchange are news; of stored bars only those on which something happened. */
export function reportBar(
  { out, log }: CommandContext,
  { session, account }: PaperSession,
  { record, silent: pairs }: { readonly record: BarRecord; readonly silent: readonly SilentPair[] },
): void {
  const happened = record.events.map(eventText);
  const placed = waiting(session, account);
  const missed = record.decision === 'placed' ? [] : [NOT_PLACED[record.decision]];
  const verdicts = (record.verdicts ?? []).map(describeVerdict);
  for (const event of record.events) log.info({ ...event }, eventText(event));
  for (const verdict of record.verdicts ?? []) log.info({ ...verdict }, describeVerdict(verdict));
  const silent = pairs.map((pair) => silentText(session, pair));
  for (const line of silent) log.warn({ timeMs: record.timeMs }, line);
  if (session.feed === 'stored' && happened.length + silent.length + verdicts.length === 0) return;
  const news = [...happened, ...silent, ...missed, ...verdicts, ...placed].join('; ');
  const change = 100 * (record.equity / session.rules.initialBalance - 1);
  out.print(
    `${formatMinute(record.timeMs)}  equity ${record.equity.toFixed(2)} (${change >= 0 ? '+' : ''}${change.toFixed(2)} %)${news === '' ? '' : `  ${news}`}`,
  );
}

function silentText({ rules }: PaperSession['session'], { symbol, lastTimeMs, isHeld }: SilentPair): string {
  const { delistedAfterMs } = rules;
  const kept =
    delistedAfterMs === undefined ? 'stays' : `is sold at it after ${delistedAfterMs / 3_600_000} hours`;
  return `${symbol} has had no bar since ${formatMinute(lastTimeMs)}: no signal and no trade${isHeld ? `; what is held is marked at its last close and ${kept}` : ''}`;
}

/** Says when the feed is lost and when it is back, once. */
export function reportCycles({ out, log }: CommandContext, notices: SessionNotices): (cycle: Cycle) => void {
  let lost = false;
  return ({ number, bars, feed }) => {
    log.debug({ number, bars, feed }, 'paper cycle');
    if (feed.kind === 'stale') {
      const retry = `trying again in ${Math.round(feed.retryInMs / 1000)} s`;
      log.warn({ ...feed }, `feed is stale: ${feed.reason}`);
      if (!lost) notices.say('feed', `Feed is STALE: ${feed.reason}`);
      if (!lost) out.print(`Feed is STALE since ${formatMinute(feed.sinceMs)}: ${feed.reason} (${retry})`);
    } else if (lost) {
      log.info({ number }, 'feed is back');
      out.print('Feed is back.');
      notices.say('feed', 'Feed is back.');
    }
    lost = feed.kind === 'stale';
  };
}

/** What a session has come to. */
export function conclude(
  { out }: CommandContext,
  session: PaperSession,
  { cycles, barsProcessed }: RunSummary,
): void {
  const { last, account } = session;
  out.print(
    `\n${cycles} cycles, ${barsProcessed} bars processed${last === undefined ? '' : `, the last of ${formatMinute(last.timeMs)}`}; equity ${account.equity().toFixed(2)}.`,
  );
  const rows = positionRows(account);
  if (rows.length === 0) out.print('No open position.');
  else out.table(POSITION_HEAD, rows);
  for (const line of waiting(session.session, account)) out.print(line);
  if (last !== undefined) for (const line of reasonLines(session.session, last)) out.print(line);
  const ruin = ruinText(account);
  if (ruin !== undefined) out.print(ruin);
}
