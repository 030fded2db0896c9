import { randomInt } from 'node:crypto';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { Asked } from './telegram.ts';

/** What can be asked about the sessions of a project, and done to them, from afar. */
export interface Desk {
  /** Names of all sessions, such as `paper/binance-1h`. */
  readonly sessions: () => Promise<readonly string[]>;
  readonly status: () => Promise<string>;
  readonly positions: () => Promise<string>;
  readonly signals: () => Promise<string>;
  /** On disk when it resolves; what is said about it. */
  readonly control: (session: string, mode: 'pause' | 'flatten') => Promise<string>;
}

const CONFIRMED_WITHIN_MS = 60_000;

const HELP = [
  'Commands:',
  '/status  every session: process, last bar, equity',
  '/positions  what is held',
  '/signals  what the models said at the last bar, and what is wanted',
];
const CONTROL_HELP = [
  '/pause [session]  order nothing; asks for a confirmation',
  '/flatten [session]  close everything, then order nothing; asks for a confirmation',
];

/**
 * Answers commands. Whatever changes something is asked for twice: with the command, and within a minute with a code that is
 * good for one attempt. Nothing that opens a position or resumes trading can be asked for.
 */
export function createCommands(
  desk: Desk,
  { mayControl, now }: { readonly mayControl: boolean; readonly now: () => number },
): (asked: Asked) => Promise<string | undefined> {
  let waiting:
    | {
        readonly code: string;
        readonly untilMs: number;
        readonly session: string;
        readonly mode: 'pause' | 'flatten';
      }
    | undefined;

  const ask = async (mode: 'pause' | 'flatten', word: string | undefined, isPrivate: boolean) => {
    if (!mayControl) return 'Set telegram.commands to control to allow this.';
    if (!isPrivate) return 'Not in a group: write to the bot alone.';
    const session = chosen(await desk.sessions(), word);
    const code = String(randomInt(100_000, 1_000_000));
    waiting = { code, untilMs: now() + CONFIRMED_WITHIN_MS, session, mode };
    return `${mode === 'pause' ? 'Pause' : 'Flatten'} ${session}? Confirm within a minute: /confirm ${code}`;
  };
  const confirm = async (word: string | undefined, isPrivate: boolean) => {
    const asked = waiting;
    // One attempt: a wrong code ends it.
    waiting = undefined;
    if (asked === undefined || now() > asked.untilMs) return 'There is nothing to confirm: ask again.';
    if (!isPrivate || word !== asked.code) return 'That is not the code: nothing is done. Ask again.';
    return desk.control(asked.session, asked.mode);
  };

  return async ({ text, isPrivate }) => {
    const [first = '', word] = text.trim().split(' ');
    // In groups a command is addressed: /status@my_bot.
    const command = first.toLowerCase().replace(/@.*$/, '');
    try {
      switch (command) {
        case '/status':
          return await desk.status();
        case '/positions':
          return await desk.positions();
        case '/signals':
          return await desk.signals();
        case '/pause':
          return await ask('pause', word, isPrivate);
        case '/flatten':
          return await ask('flatten', word, isPrivate);
        case '/confirm':
          return await confirm(word, isPrivate);
        case '/help':
        case '/start':
          return [...HELP, ...(mayControl ? CONTROL_HELP : [])].join('\n');
        default:
          return command.startsWith('/') ? 'Unknown command. /help lists them.' : undefined;
      }
    } catch (error) {
      if (error instanceof UserError) return `${error.message} ${error.hint}`;
      throw error;
    }
  };
}

/** The session that was meant, by its whole name or the part behind the slash; without a word the only one. */
function chosen(sessions: readonly string[], word: string | undefined): string {
  const found = sessions.filter(
    (name) => word === undefined || name === word || name.slice(name.indexOf('/') + 1) === word,
  );
  if (found.length === 1) return found[0];
  if (sessions.length === 0)
    throw new UserError('There is no session.', { hint: 'Start one: crypto-trader paper' });
  throw new UserError(found.length === 0 ? `There is no session "${word ?? ''}".` : 'Say which session.', {
    hint: found.length === 0 ? suggest(word ?? '', sessions) : found.join(', '),
  });
}
