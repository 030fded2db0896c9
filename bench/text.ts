import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { computeFeatures } from '../src/core/features/catalogue.ts';
import { createRandom } from '../src/core/foundation/random.ts';
import { emptyCandles } from '../src/core/market/candles.ts';
import { MARKET_LEXICON } from '../src/core/text/market-words.ts';
import { mentions } from '../src/core/text/mentions.ts';
import { lexiconSentiment } from '../src/core/text/vader.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { finbertRow, pollsRow, tokeniserRow } from './text/sources-and-models.ts';

const HOUR_MS = 3_600_000;
const BARS = 17_520;
const TEXTS = 1_000_000;
const HEADLINES = 20_000;
const NEWS = [
  'news_count',
  'news_polarity',
  'news_disagreement',
  'news_subjectivity',
  'news_by_source',
  'news_decayed',
  'news_intensity',
  'news_surprise',
];

const Golden = z.object({ cases: z.array(z.object({ text: z.string() })) });

export async function run(): Promise<readonly BenchRow[]> {
  const golden = join(import.meta.dirname, '../tests/golden/text/vader.json');
  const sentences = Golden.parse(JSON.parse(readFileSync(golden, 'utf8'))).cases.map(({ text }) => text);
  const headlines = Array.from({ length: HEADLINES }, (_, i) => sentences[i % sentences.length]);
  const scoring = await medianMs(() => {
    for (const text of headlines) lexiconSentiment(text, MARKET_LEXICON);
  });
  const linking = await medianMs(() => {
    for (const text of headlines) mentions(text);
  });
  const { candles, news } = inputs();
  const joining = await medianMs(() => computeFeatures(NEWS, candles, '1h', { news }), 3);
  return [
    {
      name: 'headlines scored by the lexicon',
      value: (1000 * HEADLINES) / scoring,
      unit: 'a second',
      target: '>= 20 000',
      note: 'example sentences of VADER, over and over',
    },
    { name: 'headlines linked to assets', value: (1000 * HEADLINES) / linking, unit: 'a second' },
    {
      name: `eight news features of ${BARS} bars from ${TEXTS} texts`,
      value: joining / 1000,
      unit: 's',
      target: '<= 2 s',
    },
    tokeniserRow(sentences),
    await pollsRow(),
    await finbertRow(sentences),
  ];
}

function inputs() {
  const random = createRandom(1);
  const candles = emptyCandles(BARS);
  for (let i = 0; i < BARS; i++) {
    candles.time[i] = i * HOUR_MS;
    for (const column of ['open', 'high', 'low', 'close', 'volume'] as const) candles[column][i] = 1;
  }
  const time = Float64Array.from({ length: TEXTS }, (_, i) => Math.floor((i * BARS * HOUR_MS) / TEXTS));
  const column = (value: () => number): Float64Array => Float64Array.from({ length: TEXTS }, value);
  const columns = {
    polarity: column(() => 2 * random() - 1),
    subjectivity: column(random),
    relevance: column(() => 0.5 + 0.5 * random()),
    source: column(() => Math.floor(8 * random())),
  };
  return { candles, news: { time, known: time, columns } };
}
