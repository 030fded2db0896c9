import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { bellChannel, mailChannel } from '../../../src/desk/notify/mail.ts';

/** As much of an SMTP server as a client needs (RFC 5321); it answers `refusal` to the body, if there is one. */
async function mailServer(refusal?: string) {
  const bodies: string[] = [];
  const server = createServer((socket) => {
    let inBody = false;
    let pending = '';
    socket.write('220 loopback ESMTP\r\n');
    socket.on('data', (chunk) => {
      pending += chunk.toString();
      for (;;) {
        const end = pending.indexOf(inBody ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const part = pending.slice(0, end);
        pending = pending.slice(end + (inBody ? 5 : 2));
        if (inBody) {
          bodies.push(part);
          inBody = false;
          socket.write(`${refusal ?? '250 taken'}\r\n`);
        } else if (part === 'DATA') {
          inBody = true;
          socket.write('354 go on\r\n');
        } else if (part === 'QUIT') socket.end('221 bye\r\n');
        else socket.write('250 ok\r\n');
      }
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { bodies, url: `smtp://127.0.0.1:${address.port}` };
}

const MESSAGE = { title: 'paper binance-1h\r\nBcc: someone@else', text: 'bought 1 BTC', silent: false };

test('a message arrives as one plain text, its title no header of its own', async () => {
  const { bodies, url } = await mailServer();
  const { messenger } = mailChannel({ url, from: 'a@example.org', to: 'b@example.org' });
  await messenger.send(MESSAGE, new AbortController().signal);
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toContain('Subject: paper binance-1h Bcc: someone@else');
  expect(bodies[0]).not.toMatch(/^Bcc:/m);
  expect(bodies[0]).toContain('bought 1 BTC');
});

test('what the server refuses is said, and the password is a secret', async () => {
  const { url } = await mailServer('554 no');
  const { messenger } = mailChannel({ url, from: 'a@example.org', to: 'b@example.org' });
  await expect(messenger.send(MESSAGE, new AbortController().signal)).rejects.toThrow('554');
  const { secrets } = mailChannel({ url: 'smtps://me:p%40ss@host', from: '', to: '' });
  expect(secrets).toEqual(['smtps://me:p%40ss@host', 'p@ss']);
});

test('the bell rings for what is to be heard', async () => {
  let rings = 0;
  const { messenger } = bellChannel(() => void rings++);
  const { signal } = new AbortController();
  await messenger.send(MESSAGE, signal);
  await messenger.send({ ...MESSAGE, silent: true }, signal);
  expect(rings).toBe(1);
});
