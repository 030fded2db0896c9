import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../../support/folder.ts';
import { startDouble } from '../../support/llm/server.ts';
import { serveInTest } from './running.ts';

const KEY = 'sk-loopback-0123456789';

test('a question over HTTP streams its answer, and a key leaves neither with it nor with an error', async () => {
  const cwd = temporaryFolder();
  const double = await startDouble('openai', ({ toolResults, said, headers }) => {
    if (said.includes('secret'))
      return { status: 401, message: `bad key ${String(headers.authorization).slice(7)}` };
    return toolResults === 0
      ? { calls: [{ name: 'data', input: { asOf: 'now' } }] }
      : { text: `Nothing is stored, 42 of it. ${String(headers.authorization)}` };
  });
  writeFileSync(
    join(cwd, 'config.yaml'),
    `advisor: { providers: { openai: { kind: openai, model: double, url: "${double.url}", price: { input: 2, output: 8 } } } }`,
  );
  const server = await serveInTest(cwd, { OPENAI_API_KEY: KEY });
  const ask = (content: string) =>
    server.ask('/api/advisor/chat', { method: 'POST', body: { messages: [{ role: 'user', content }] } });
  const answer = await ask('What is stored?');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/event-stream; charset=UTF-8');
  expect(answer.text).not.toContain(KEY);
  const events = [...answer.text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => ({
    name,
    data: z.looseObject({ kind: z.string().optional(), text: z.string().optional() }).parse(JSON.parse(data)),
  }));
  expect(events[0]).toEqual({
    name: 'said',
    data: { kind: 'tool', number: 1, tool: 'data', input: { asOf: 'now' } },
  });
  expect(events.map(({ data }) => data.text ?? '').join('')).toMatch(
    /^Nothing is stored, 42\[\?\] of it. Bearer \[redacted\]/,
  );
  expect(events.at(-2)?.data).toMatchObject({
    kind: 'end',
    complete: true,
    figures: { unsupported: ['42', '[redacted]'] },
  });
  expect(events.at(-1)).toEqual({ name: 'closed', data: { code: 0, complaint: '' } });
  const refused = await ask('Tell me the secret');
  expect(refused.text).not.toContain(KEY);
  expect(refused.text).toContain('did not answer: status 401');
  expect((await server.ask('/api/advisor/chat', { method: 'POST', body: { messages: [] } })).status).toBe(
    400,
  );
  expect((await server.ask('/api/advisor/chat', { method: 'POST', body: {}, token: null })).status).toBe(401);
  // An option in front is part of the question; who fails says so beside the others.
  const answers = await server.ask('/api/advisor/answers', {
    method: 'POST',
    body: { question: '--events What is stored?' },
  });
  expect(answers.text).not.toContain(KEY);
  expect(answers.json()).toMatchObject({
    answers: [{ provider: 'openai', complete: true, figures: { unsupported: ['42', '[redacted]'] } }],
  });
  const failed = await server.ask('/api/advisor/answers', {
    method: 'POST',
    body: { question: 'The secret' },
  });
  expect(failed.json()).toMatchObject({
    answers: [{ provider: 'openai', error: expect.stringContaining('status 401') as string }],
  });
  const providers = await server.ask('/api/advisor/providers');
  expect(providers.json()).toMatchObject({ providers: [{ provider: 'openai', ready: true }, {}, {}] });
  // What a question costs is no business of the web's.
  const raised = await server.ask('/api/settings/advisor.usdPerDay', {
    method: 'PUT',
    body: { value: 1000 },
  });
  expect([raised.status, raised.text]).toEqual([400, expect.stringContaining('advisor.usdPerDay')]);
  const score = await server.ask('/api/texts/score', {
    method: 'POST',
    body: { text: '--stored Bitcoin surges past $100k' },
  });
  expect(score.json()).toMatchObject({ scorer: 'lexicon-1', assets: [{ asset: 'BTC' }] });
});
