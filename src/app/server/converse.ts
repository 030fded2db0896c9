import { spawn } from 'node:child_process';
import { Conflict } from './answers.ts';
import type { Program } from './ask.ts';

/** A command that is told one line and answers in lines, each sent on as soon as it is there. */
export type Converse = (args: readonly string[], line: string, signal: AbortSignal) => Response;

/** Each is a process of the program, and may cost money. */
const MOST_AT_ONCE = 2;
const LARGEST_LINE = 2 ** 20;

/**
 * Runs the program in a process of its own and sends its lines as server-sent events `said`, at the end one `closed` with its exit
 * code. The process ends with the listener.
 */
export function createConverse({ bin, globals, folder }: Program): Converse {
  let running = 0;
  return (args, line, signal) => {
    if (running >= MOST_AT_ONCE)
      throw new Conflict('Two questions are being answered already.', { hint: 'Wait for one of them.' });
    running++;
    const child = spawn(process.execPath, [bin, ...globals, ...args], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const encoder = new TextEncoder();
    const event = (name: string, data: string): Uint8Array =>
      encoder.encode(`event: ${name}\ndata: ${data}\n\n`);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.stdin.on('error', () => undefined).end(`${line}\n`);
    const stop = (): void => void child.kill();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        let rest = '';
        let gone = false;
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          if (gone || rest.length > LARGEST_LINE) return stop();
          for (const one of lines) if (one !== '') controller.enqueue(event('said', one));
        });
        const finish = (code: number | null): void => {
          running--;
          if (gone) return;
          gone = true;
          controller.enqueue(
            event('closed', JSON.stringify({ code, complaint: code === 0 ? '' : complaint })),
          );
          controller.close();
        };
        child.once('error', () => finish(null)).once('close', finish);
        signal.addEventListener('abort', () => {
          gone = true;
          stop();
        });
      },
      cancel: stop,
    });
    return new Response(body, {
      headers: { 'Content-Type': 'text/event-stream; charset=UTF-8', 'Cache-Control': 'no-store' },
    });
  };
}
