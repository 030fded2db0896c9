import { expect, test } from 'vitest';
import { listProviders, pickProviders } from '../../../src/app/advisor/providers.ts';
import { languageScorer, languageScorerId } from '../../../src/app/advisor/reader.ts';
import { openPurse } from '../../../src/app/advisor/spending.ts';
import { scoreStoredTexts } from '../../../src/app/workflows/score-texts.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { openTextStore } from '../../../src/data/text/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startDouble } from '../../support/llm/server.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 0, 10);

test('a language model judges new texts alone, and its scores are known from when they were made', async () => {
  const dataDir = temporaryFolder();
  const story = (guid: string, title: string) => ({
    ...{ guid, title, body: '', assets: [] },
    ...{ url: undefined, author: undefined, publishedMs: undefined, language: undefined },
  });
  const texts = await openTextStore(dataDir);
  await texts.take(
    'wire',
    [story('1', 'Bitcoin miners sold all their coins last year')],
    NOW_MS - 30 * HOUR_MS,
  );
  await texts.take('wire', [story('2', 'Bitcoin exchange hacked')], NOW_MS - 2 * HOUR_MS);
  await texts.take('wire', [story('3', 'Bitcoin and Ethereum rally together')], NOW_MS - HOUR_MS);
  await texts.close();
  const double = await startDouble('compatible', ({ said }) => ({
    text: JSON.stringify({
      judgements: [
        // Nothing for the hack the first time; a number that belongs to no text is left out.
        ...(said.includes('rally') ? [{ text: 1, polarity: 0.8, subjectivity: 0.1 }] : []),
        ...(said.includes('rally') ? [] : [{ text: 0, polarity: -0.9, subjectivity: 0 }]),
        { text: 19, polarity: 1, subjectivity: 1 },
      ],
    }),
  }));
  const settings = {
    local: { kind: 'compatible', model: 'm', price: { input: 0, output: 0 }, url: double.url },
  } as const;
  const [provider] = pickProviders(listProviders(settings, {}, { timeoutMs: 20_000 }), undefined);
  const purse = openPurse(dataDir, { usdPerDay: 1, tokensPerDay: 1e9 });
  let clockMs = NOW_MS;
  const scorer = languageScorer(provider, {
    dataDir,
    purse,
    retries: 0,
    mostOutputTokens: 400,
    now: () => clockMs,
  });
  const { signal } = new AbortController();
  const { series } = openStore(dataDir);
  const score = () =>
    scoreStoredTexts(dataDir, series, scorer, { signal, onScored: () => {}, nowMs: clockMs });
  expect(await score()).toMatchObject({ texts: 3, late: 1, unscored: 1 });
  expect(double.requests[0].said).not.toContain('miners');
  // An hour later the one without a score is asked about again; the other is not paid for twice.
  clockMs += HOUR_MS;
  expect(await score()).toMatchObject({ late: 1, unscored: 0 });
  expect(double.requests.length).toBe(2);
  expect(await score()).toMatchObject({ unscored: 0 });
  expect(double.requests.length).toBe(2);
  const bitcoin = await series.read({ name: 'news', subject: `${languageScorerId(provider)}/BTC` });
  expect([...bitcoin.columns['polarity']]).toEqual([0.8, -0.9]);
  expect([...bitcoin.known]).toEqual([NOW_MS, NOW_MS + HOUR_MS]);
  expect([...bitcoin.time]).toEqual([...bitcoin.known]);
  const ether = await series.read({ name: 'news', subject: `${languageScorerId(provider)}/ETH` });
  expect([...ether.known]).toEqual([NOW_MS]);
});

test('another model or prompt is another scorer', () => {
  const of = (model: string) =>
    languageScorerId({
      id: 'local',
      settings: { kind: 'compatible', model, price: { input: 0, output: 0 } },
    });
  expect(of('a')).toMatch(/^llm-local-[0-9a-f]{8}$/);
  expect(of('a')).not.toBe(of('b'));
});
