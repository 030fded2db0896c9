import { writeControl } from '../../desk/paper/controls.ts';
import { listSessions, readStatus, sessionFolder } from '../../desk/paper/sessions.ts';
import { followSession } from '../dashboard/session-history.ts';
import { describeSession } from '../workflows/paper-status.ts';
import { NotFound } from './answers.ts';

/** Every session as it stands on disk. */
export async function allSessions(dataDir: string) {
  const names = await listSessions(dataDir);
  return (await Promise.all(names.map((name) => readStatus(dataDir, name)))).map(describeSession);
}

/** Throws `NotFound`. */
export async function requireSession(dataDir: string, name: string): Promise<void> {
  if ((await listSessions(dataDir)).includes(name)) return;
  throw new NotFound(`There is no paper session "${name}".`, { hint: 'GET /api/paper lists them.' });
}

/** One reader per session: a later request reads only what was added. */
const followed = new Map<string, ReturnType<typeof followSession>>();

/** One session over time. */
export async function sessionOverTime(dataDir: string, name: string) {
  await requireSession(dataDir, name);
  const key = `${dataDir} ${name}`;
  const follow = followed.get(key) ?? followSession(dataDir, name);
  followed.set(key, follow);
  const [history, status] = await Promise.all([follow(), readStatus(dataDir, name)]);
  return { ...history, status: describeSession(status) };
}

/** On disk when this returns. */
export async function controlSession(dataDir: string, name: string, mode: 'trade' | 'pause' | 'flatten') {
  await requireSession(dataDir, name);
  await writeControl(sessionFolder(dataDir, name), { mode, sinceMs: Date.now() });
  return describeSession(await readStatus(dataDir, name));
}
