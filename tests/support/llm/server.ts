import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Asked, type Said, type Wire, WIRES } from './wire.ts';

/** What a double answers: something said, an error, or an end in the middle. */
export type Reply =
  | Said
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly message?: string;
    }
  | { readonly broken: 'lost' | 'half' | 'silent' };

export interface Double {
  readonly url: string;
  readonly requests: readonly Asked[];
  readonly wire: Wire;
}

/** A host on the loopback interface that speaks a provider's wire format, until the test ends. */
export async function startDouble(
  kind: Wire['kind'],
  reply: (asked: Asked, number: number) => Reply,
): Promise<Double> {
  const wire = WIRES.find((one) => one.kind === kind) ?? WIRES[0];
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = new URL(request.url ?? '/', 'http://loopback').pathname;
      const body = Buffer.concat(chunks).toString('utf8');
      const parsed: unknown = JSON.parse(body);
      const asked: Asked = {
        path,
        headers: request.headers,
        body,
        stream: wire.isStream(path, body),
        tools: wire.tools(parsed),
        said: textsIn(parsed).join('\n'),
        toolResults: wire.toolResults(body),
      };
      requests.push(asked);
      const answer = reply(asked, requests.length - 1);
      if ('status' in answer) {
        response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers });
        response.end(JSON.stringify(wire.error(answer.message ?? 'refused by the double')));
        return;
      }
      if ('broken' in answer) {
        if (answer.broken === 'lost') response.socket?.destroy();
        else if (answer.broken === 'half') {
          response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 });
          response.write('{"id": "half', () => response.socket?.destroy());
        }
        return;
      }
      if (!asked.stream) {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(wire.whole(answer, asked)));
        return;
      }
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (const event of wire.events(answer, asked)) response.write(event);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const base = kind === 'google' ? '/v1beta' : '/v1';
  return { url: `http://127.0.0.1:${port}${base}`, requests, wire };
}

/** Every text of a body, wherever it stands; JSON inside a text as what it says. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  return [];
}
