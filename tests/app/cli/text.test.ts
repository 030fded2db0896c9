import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer } from '../../support/texts/server.ts';
import { WIRE_FORMATS } from '../../support/texts/sources.ts';

test('one command reads every source that is set, and names the one that lacks its key', async () => {
  const cwd = temporaryFolder();
  const formats = new Map(WIRE_FORMATS.map((format) => [format.name, format]));
  const story = (id: number, title: string) => [{ id, title, timeMs: Date.now() - 60_000 }];
  const server = await startTextServer(({ path }) => {
    if (path === '/feed')
      return { body: formats.get('RSS')?.body(story(1, 'Bitcoin miners sell their reserves')) ?? '' };
    if (path.startsWith('/r/'))
      return { body: formats.get('Reddit Atom')?.body(story(2, 'Why I hold $LINK and nothing else')) ?? '' };
    if (path.startsWith('/api/v2/doc'))
      return { body: formats.get('GDELT')?.body(story(3, 'Parliament debates a law on stablecoins')) ?? '' };
    return { status: 403, body: '{"status":"api_error","info":"quota of secret-token used up"}' };
  });
  writeFileSync(
    join(cwd, 'config.yaml'),
    `text:\n  feeds: { wire: "${server.url}/feed" }\n  subreddits: [Bitcoin]\n  redditUrl: ${server.url}\n  gdelt: { url: ${server.url} }\n  cryptopanic: { url: ${server.url} }\n`,
  );
  const first = await runCli(['text', 'fetch'], { cwd });
  expect(first.stderr).not.toContain('rror');
  expect(first.stdout).toContain('Without cryptopanic: CRYPTOPANIC_TOKEN is not set.');
  expect(first.stdout).toContain('3 new texts from 3 sources.');
  const environment = { CRYPTOPANIC_TOKEN: 'secret-token' };
  const second = await runCli(['text', 'fetch', '--json'], { cwd, environment });
  expect(second.status).toBe(1);
  expect(second.stdout + second.stderr).not.toContain('secret-token');
  expect(JSON.parse(second.stdout)).toMatchObject({
    sources: [
      { source: 'wire', outcome: 'fetched', added: 0, known: 1 },
      { source: 'reddit-bitcoin', outcome: 'fetched', added: 0, known: 1 },
      { source: 'gdelt', outcome: 'fetched', added: 0, known: 1 },
      { source: 'cryptopanic', outcome: 'failed' },
    ],
  });
  const listed = await runCli(['text', 'list', '--asset', 'link', '--json'], { cwd });
  expect(JSON.parse(listed.stdout)).toMatchObject({
    matching: 1,
    texts: [
      { title: 'Why I hold $LINK and nothing else', source: 'reddit-bitcoin', firstSeenAssumed: false },
    ],
  });
});
