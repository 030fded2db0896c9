import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { CONVENTIONS } from '../../../src/core/evaluation/metrics.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { renderReport } from '../../../src/app/report/backtest-report.ts';
import { importance } from '../../../src/core/forecast/explanation.ts';
import { thin } from '../../../src/app/report/curves.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { forecastsOf, HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';

const panel = randomPanel(400, 2);
const ensemble = forecastsOf(panel, (close, row) => (row > 0 && close[row] > close[row - 1] ? 1 : 0));
const result = backtest({
  panel,
  range: { fromMs: 0, untilMs: 400 * HOUR_MS },
  ensemble,
  members: [{ id: 'momentum', kind: 'model', forecasts: ensemble }],
  instruments: panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
  rules: SPOT_RULES,
  seed: 1,
});
const about = {
  exchange: 'csv',
  symbols: ['BTC/USDT', 'ETH/USDT'],
  timeframe: '1h',
  synthetic: false,
  dataFingerprint: 'ab12',
  trainedBy: 'a test',
  fromMs: 0,
  untilMs: 400 * HOUR_MS,
  missingBars: 3,
  seed: 1,
  warnings: ['IN SAMPLE: <script>alert("&")</script>'],
  trials: { count: 1, effective: 1, barSharpes: [0.1] },
};

/** What a browser would ask for, or open: anything but a place on the page itself. */
const OUTSIDE = /\b(src|href)="(?!#)|https?:\/\/(?!github\.com\/leeoniya)|@import|url\(/;

describe('the report', () => {
  const html = renderReport(result, about);

  test('needs nothing but itself: no request, no file beside it', () => {
    expect(html).not.toMatch(OUTSIDE);
    expect(html).toContain('uPlot');
  });

  test('shows what it is told as text, never as markup', () => {
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('IN SAMPLE: &#60;script&#62;');
  });

  test('says where the numbers come from', () => {
    expect(html).toContain('ab12');
    expect(html).toContain('3 bars are missing');
  });

  test('shows what is inside the models, where they can tell', () => {
    expect(html).not.toContain('Inside the models');
    const explained = renderReport(result, about, {
      explanations: [
        {
          model: 'tft',
          parts: [
            importance('inputs', '%', [
              ['rsi_14', 20],
              ['<b>volume</b>', 80],
            ]),
            { kind: 'by-lag', title: 'attention', unit: '%', values: [75, 25, 0] },
            {
              kind: 'matrix',
              title: 'graph',
              unit: '%',
              rows: ['BTC/USDT'],
              columns: ['ETH/USDT'],
              values: [[42]],
            },
          ],
        },
      ],
    });
    expect(explained).toContain('<h3>tft</h3>');
    // The largest input fills the row, a quarter of it a quarter.
    expect(explained).toContain('&#60;b&#62;volume&#60;/b&#62;</td><td class="number">80</td>');
    expect(explained).toMatch(/rsi_14<\/td><td class="number">20<\/td>.*width:25\.0%/);
    // The newest bar stands at the right, at full height.
    expect(explained).toContain(
      '<rect x="2" y="0.00" width="0.85" height="100.00"><title>last closed bar: 75',
    );
    expect(explained).toContain('BTC/USDT</th><td class="number">42</td>');
    expect(explained).not.toMatch(OUTSIDE);
  });

  test('speaks in words: no key of a setting or figure stands on the page', () => {
    const shown = html.replace(/<(script|style)[^]*?<\/\1>/g, '');
    const keys = [...Object.keys(CONVENTIONS), ...Object.keys(SPOT_RULES)].filter((key) => /[A-Z]/.test(key));
    expect(keys.filter((key) => new RegExp(`\\b${key}\\b`).test(shown))).toEqual([]);
    expect(shown).toContain('Max drawdown, %');
    // "target" is a price to a trader; here it would be the position that was wanted.
    expect(shown).not.toMatch(/<td>target<\/td>/);
    expect(shown).toContain('<td>strategy</td>');
  });

  test('has scripts that a browser can read', () => {
    for (const [, source] of html.matchAll(/<script>([^]*?)<\/script>/g)) new Script(source);
  });

  test('holds its evidence as JSON that cannot end its element', () => {
    const hostile = '</script><script>alert(1)</script><!--';
    const text = renderReport(
      result,
      { ...about, trainedBy: hostile },
      { document: { id: hostile, settings: { seed: 1 }, fills: [1] } },
    );
    expect(text).not.toContain('<script>alert');
    const found = /<script type="application\/json" id="evidence">([^]*?)<\/script>/.exec(text)?.[1] ?? '';
    const evidence = JSON.parse(found) as {
      readonly document: object;
      readonly trades: Record<string, unknown[]>;
    };
    expect(evidence.document).toEqual({ id: hostile, settings: { seed: 1 } });
    const { trades } = result.ensemble.run;
    expect(evidence.trades['profitQuote']).toEqual(trades.map(({ profitQuote }) => profitQuote));
    expect(evidence.trades['entryTime']).toEqual(
      trades.map(({ entryTime }) => new Date(entryTime).toISOString()),
    );
  });

  test('shows names of others as text wherever they stand', () => {
    const hostile = '"><img src=x onerror=alert(1)>\u202e\u001b[31m';
    const named = {
      ...result,
      members: result.members.map((one) => ({ ...one, strategy: { ...one.strategy, name: hostile } })),
    };
    const text = renderReport(named, {
      ...about,
      exchange: hostile,
      symbols: [hostile],
      trainedBy: hostile,
      warnings: [hostile],
    });
    const page = text.replace(/<script[^]*?<\/script>/g, '');
    expect(page).not.toContain('<img');
    expect(page).not.toMatch(/[\u202e\u001b]/);
    expect(page).toContain('&#34;&#62;&#60;img src=x onerror=alert(1)&#62;');
    // In the scripts' data it is JSON, and they write it as text: no script of the page makes markup of a string.
    expect(text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|outerHTML/);
  });

  test('labels synthetic candles', () => {
    expect(html).not.toContain('SYNTHETIC');
    expect(renderReport(result, { ...about, synthetic: true })).toContain('SYNTHETIC candles');
  });
});

test('a thinned curve keeps the end of each stretch, or its lowest value', () => {
  const values = Float64Array.of(5, 1, 4, 3, 9, 7, 8);
  expect(thin(values, 3)).toEqual([4, 7, 8]);
  expect(thin(values, 3, { keep: 'lowest' })).toEqual([1, 3, 8]);
  expect(thin(values, 100)).toEqual(Array.from(values));
});
