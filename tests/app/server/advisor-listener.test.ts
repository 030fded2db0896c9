import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { serveInTest } from './running.ts';

test('a question ends with whoever listens to it', async () => {
  let gone: () => void = () => {};
  const closed = new Promise<void>((done) => (gone = done));
  let asked: () => void = () => {};
  const arrived = new Promise<void>((done) => (asked = done));
  // A provider that never answers: only a process that has ended lets go of its connection.
  const silent = createServer((request) => {
    request.socket.once('close', gone);
    asked();
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    `advisor: { timeoutSeconds: 3600, providers: { local: { kind: compatible, model: m, url: "http://127.0.0.1:${port}/v1", price: { input: 0, output: 0 } } } }`,
  );
  const server = await serveInTest(cwd);
  const leave = new AbortController();
  const answer = fetch(new URL('/api/advisor/chat', server.url), {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Anybody there?' }] }),
    signal: leave.signal,
  });
  await arrived;
  leave.abort();
  await expect(answer.then((response) => response.text())).rejects.toThrow();
  await closed;
});
