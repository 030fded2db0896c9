import { CheckFailed, UserError } from '../../core/foundation/errors.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { type Control, writeControl } from '../../desk/paper/controls.ts';
import { verifySession } from '../../desk/paper/session.ts';
import { faultOf, findSession, listSessions, readStatus, sessionFolder } from '../../desk/paper/sessions.ts';
import { describeSession } from '../workflows/paper-status.ts';
import type { CommandContext } from './command.ts';
import { less } from './table.ts';

const MODE_TEXT: Readonly<Record<Control['mode'], string>> = {
  trade: 'trading',
  pause: 'paused: nothing is ordered, positions keep their stops',
  flatten: 'flattened: positions are closed at the next open, nothing is ordered after that',
};

/**
 * `paper status`: every session, or the one called `name`, as it stands on disk. With `check` exit code 3 when one that follows an
 * exchange does not run or does not see its bars.
 */
export async function showStatus(
  { config, out }: CommandContext,
  name: string | undefined,
  check: boolean,
): Promise<void> {
  const names =
    name === undefined ? await listSessions(config.dataDir) : [await findSession(config.dataDir, name)];
  if (names.length === 0) await findSession(config.dataDir, undefined);
  const sessions = await Promise.all(names.map((one) => readStatus(config.dataDir, one)));
  const nowMs = Date.now();
  const faults = sessions.map((one) => faultOf(one, nowMs));
  out.document({ sessions: sessions.map((one, i) => ({ ...describeSession(one), fault: faults[i] })) });
  out.table(
    [
      'name',
      less('process', 1),
      'trading',
      less('bars', 3),
      'last bar',
      'equity',
      less('positions', 2),
      less('training run', 4),
    ],
    sessions.map((status) => [
      status.name,
      status.pid === undefined ? 'stopped' : `running (${status.pid})`,
      status.control === undefined
        ? 'on'
        : { trade: 'on', pause: 'paused', flatten: 'flattened' }[status.control.mode],
      `${status.session.exchange} ${status.session.timeframe}${status.session.feed === 'stored' ? ', stored' : ''}${status.session.synthetic ? ', SYNTHETIC' : ''}`,
      status.last === undefined ? 'none yet' : formatMinute(status.last.timeMs),
      (status.last?.equity ?? status.session.rules.initialBalance).toFixed(2),
      String(status.last?.positions.length ?? 0),
      status.last?.runId ?? status.session.runId ?? '',
    ]),
  );
  const lines = sessions.flatMap(({ name: of, pid }, i) =>
    faults[i] === undefined || (pid === undefined && !check) ? [] : [`${of}: ${faults[i]}`],
  );
  for (const line of lines) out.print(line);
  if (check && lines.length > 0)
    throw new CheckFailed(`${lines.length} of ${sessions.length} paper sessions do not run as they should.`);
}

/** `paper pause`, `paper resume`, `paper flatten`: on disk before the command ends. */
export async function control(
  { config, out, log }: CommandContext,
  mode: Control['mode'],
  name: string | undefined,
): Promise<void> {
  const found = await findSession(config.dataDir, name);
  await writeControl(sessionFolder(config.dataDir, found), { mode, sinceMs: Date.now() });
  const status = await readStatus(config.dataDir, found);
  log.info({ session: found, mode, pid: status.pid }, 'paper control');
  out.document(describeSession(status));
  out.print(`Paper session ${found} is ${MODE_TEXT[mode]}.`);
  out.print(
    status.pid === undefined
      ? 'No process runs it now: this holds from its next start on.'
      : `Process ${status.pid} heeds this from its next bar on.`,
  );
}

/** `paper verify`: every hash, and every bar through the trading core again. Exit code 3 when something does not fit. */
export async function verify(
  { config, out, signal }: CommandContext,
  name: string | undefined,
): Promise<void> {
  const names =
    name === undefined ? await listSessions(config.dataDir) : [await findSession(config.dataDir, name)];
  const results: { name: string; bars: number; tornBytes: number; fault: string | undefined }[] = [];
  for (const one of names) {
    signal.throwIfAborted();
    try {
      const found = await verifySession(sessionFolder(config.dataDir, one), signal);
      results.push({ name: one, bars: found?.bars ?? 0, tornBytes: found?.tornBytes ?? 0, fault: undefined });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      results.push({ name: one, bars: 0, tornBytes: 0, fault: `${error.message} ${error.hint}` });
    }
  }
  const faults = results.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  out.document({ ok: faults.length === 0, sessions: results });
  if (results.length === 0) out.print('There is no paper session to verify.');
  else
    out.table(
      ['session', 'bars replayed', 'verdict'],
      results.map(({ name: session, bars, tornBytes, fault }) => [
        session,
        fault === undefined ? String(bars) : '',
        fault === undefined
          ? `good${tornBytes === 0 ? '' : `; ${tornBytes} bytes of a last line that is not whole`}`
          : 'damaged',
      ]),
    );
  for (const fault of faults) out.print(fault);
  if (faults.length > 0)
    throw new CheckFailed(`${faults.length} of ${results.length} paper ledgers are damaged.`);
}
