import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

export interface Written {
  readonly chat?: number;
  readonly type?: string;
  readonly date?: number;
}

/**
 * Telegram's bot API on loopback: getUpdates holds a question until somebody has written, and forgets what is acknowledged by `offset`;
 * sendMessage is kept. core.telegram.org/bots/api
 */
export async function startTelegram({ token, chat }: { readonly token: string; readonly chat: number }) {
  let updates: { update_id: number }[] = [];
  let next = 1;
  let held: (() => void) | undefined;
  const said: string[] = [];
  let heard = (): void => undefined;
  /** Answers in place of the next questions. */
  const planned: ((response: ServerResponse) => void)[] = [];
  let questions = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://telegram');
    if (!url.pathname.startsWith(`/bot${token}/`)) return void response.writeHead(401).end('{}');
    if (url.pathname.endsWith('/sendMessage')) {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const sent: unknown = JSON.parse(body);
        if (typeof sent === 'object' && sent !== null && 'text' in sent) said.push(String(sent.text).trim());
        response.end('{"ok":true}');
        heard();
      });
      return;
    }
    questions++;
    heard();
    const instead = planned.shift();
    if (instead !== undefined) return instead(response);
    const offset = Number(url.searchParams.get('offset'));
    updates = updates.filter((update) => update.update_id >= offset);
    const answer = (): void => void response.end(JSON.stringify({ ok: true, result: updates }));
    if (updates.length > 0) answer();
    else held = answer;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise<void>((wake) => (heard = wake));
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    said,
    plan: (answer: (response: ServerResponse) => void) => void planned.push(answer),
    questions: () => questions,
    until,
    push: (update: object): void => {
      updates.push({ ...update, update_id: next++ });
      const answer = held;
      held = undefined;
      answer?.();
    },
    /** Somebody writes, and waits for the answer where there is one. */
    async write(text: string, { chat: id = chat, type = 'private', date = Date.now() / 1000 }: Written = {}) {
      const before = said.length;
      this.push({ message: { message_id: 1, date: Math.floor(date), chat: { id, type }, text } });
      await until(() => said.length > before);
      return said[before];
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
