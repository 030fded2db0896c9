import type { DashboardView, ScoreView } from '../../../src/app/dashboard/view.ts';

const score = (hitPct: number, netReturnPct: number): ScoreView => ({
  horizonBars: 4,
  samples: 3000,
  hitPct,
  hitIntervalPct: [hitPct - 3, hitPct + 3],
  informationCoefficient: 0.031,
  netReturnPct,
});

const HOUR = 3_600_000;
const LAST = Date.UTC(2026, 1, 13, 9);
/** A saw of 60 bars: rises by 100 in five hours, then falls by 50 in five. */
const saw = Array.from({ length: 60 }, (_, i) => {
  const open = 66_000 + 50 * Math.floor(i / 10) * 5 + (i % 10 < 5 ? 100 * (i % 5) : 500 - 50 * (i % 5));
  const close = open + (i % 10 < 5 ? 100 : -50);
  return {
    timeMs: LAST - (59 - i) * HOUR,
    open,
    high: Math.max(open, close) + 20,
    low: Math.min(open, close) - 20,
    close,
  };
});

/** A session in the middle of everything. */
export const busy: DashboardView = {
  time: '2026-02-13T10:20:00.000Z',
  session: {
    sessionId: 'binance-1h-20260201T000000Z',
    exchange: 'binance',
    timeframe: '1h',
    feed: 'exchange',
    synthetic: false,
    runId: 'spring',
    strategy: 'cost-aware',
    bars: 290,
    lastBarTime: '2026-02-13T09:00:00.000Z',
    overdueSeconds: undefined,
    equity: 10_123.45,
    cash: 4_000,
    changePct: 1.2345,
    dayPnl: -25.5,
    dayPnlPct: -0.25125,
    exposurePct: 60.49,
    drawdownPct: 0.5,
    maxDrawdownPct: 3.25,
    closedTrades: 28,
    winningTrades: 11,
    equityCurve: [10_000, 10_050, 9_900, 10_123.45],
  },
  positions: [
    {
      symbol: 'BTC/USDT',
      side: 'long',
      baseAmount: 0.0912,
      entryPrice: 66_000,
      markPrice: 67_149.5,
      unrealizedPnl: 104.83,
      unrealizedPct: 1.74,
      stopPrice: 64_680,
      takePrice: undefined,
      pendingTarget: 0,
      reason: 'edge 3 bp < cost 22 bp: close',
    },
    {
      symbol: 'ETH/USDT',
      side: 'flat',
      baseAmount: 0,
      entryPrice: undefined,
      markPrice: 2_000,
      unrealizedPnl: undefined,
      unrealizedPct: undefined,
      stopPrice: undefined,
      takePrice: undefined,
      pendingTarget: undefined,
    },
  ],
  signals: [
    {
      model: 'momentum',
      noSkill: false,
      weight: 0.25,
      bySymbol: [
        { symbol: 'BTC/USDT', position: -0.5, confidence: 0.61 },
        { symbol: 'ETH/USDT', position: undefined, confidence: undefined },
      ],
    },
    {
      model: 'ensemble',
      noSkill: false,
      bySymbol: [
        { symbol: 'BTC/USDT', position: 0, confidence: undefined },
        { symbol: 'ETH/USDT', position: 1, confidence: undefined },
      ],
    },
  ],
  training: {
    runId: 'r',
    models: [
      { model: 'boosted-trees', phase: 'classical', status: 'finished', seconds: 75, loss: 0.6931 },
      {
        model: 'tft',
        phase: 'deep',
        status: 'running',
        step: 30,
        steps: 120,
        epoch: 2,
        loss: 2.31,
        validationLoss: 2.29,
        lossCurve: [2.9, 2.7, 2.5, 2.4, 2.31],
        validationCurve: [2.8, 2.29],
        samplesPerSecond: 1234,
        etaSeconds: 90,
      },
    ],
  },
  markets: [
    {
      symbol: 'BTC/USDT',
      timeframe: '1h',
      source: 'stored',
      candles: saw,
      fills: [
        { timeMs: LAST - 20 * HOUR, side: 'buy', price: 67_000 },
        { timeMs: LAST - 14 * HOUR, side: 'sell', price: 67_450 },
      ],
      forecast: {
        model: 'tft',
        timeMs: LAST,
        horizonBars: 4,
        quantiles: [
          { level: 0.1, returnPct: -1 },
          { level: 0.5, returnPct: 0.1 },
          { level: 0.9, returnPct: 1.2 },
        ],
      },
    },
    { symbol: 'ETH/USDT', timeframe: '1h', source: 'session', candles: [], fills: [], forecast: undefined },
  ],
  trades: [
    {
      symbol: 'BTC/USDT',
      side: 'long',
      entryTime: '2026-02-12T13:00:00.000Z',
      exitTime: '2026-02-12T19:00:00.000Z',
      barsHeld: 6,
      entryPrice: 67_000,
      exitPrice: 67_450,
      baseAmount: 0.05,
      feeQuote: 6.72,
      profitQuote: 15.78,
      profitPct: 0.47,
      exit: 'target',
      entered: {
        time: '2026-02-12T12:00:00.000Z',
        reason: 'edge 31 bp >= cost 22 bp: open',
        target: 1,
        votes: [{ model: 'momentum', position: 1, confidence: 0.7 }],
      },
      left: {
        time: '2026-02-12T18:00:00.000Z',
        reason: 'edge 3 bp < cost 22 bp: close',
        target: 0,
        votes: [],
      },
    },
    {
      symbol: 'ETH/USDT',
      side: 'short',
      entryTime: '2026-02-11T13:00:00.000Z',
      exitTime: '2026-02-12T08:00:00.000Z',
      barsHeld: 19,
      entryPrice: 2_010,
      exitPrice: 2_050.2,
      baseAmount: 1,
      feeQuote: 4.06,
      profitQuote: -44.26,
      profitPct: -2.2,
      exit: 'stop-loss',
      entered: undefined,
      left: undefined,
    },
  ],
  risk: {
    control: 'pause',
    controlSince: '2026-02-13T08:00:00.000Z',
    pid: 4711,
    killed: false,
    gauges: [
      { name: 'drawdown', value: 9, limit: 10, unit: '%', kind: 'ceiling' },
      { name: 'exposure', value: 60.49, limit: 60, unit: '%', kind: 'ceiling' },
      { name: 'orders in the last bar', value: 1, limit: undefined, unit: 'orders', kind: 'ceiling' },
      { name: 'cash', value: 4_000, limit: 5_000, unit: 'quote', kind: 'floor' },
    ],
    protections: ['cooldown: a symbol rests for 2 bars after a trade'],
    verdicts: [{ rule: 'trade-size', count: 3 }],
    newest: [
      { time: '2026-02-13T07:00:00.000Z', text: 'risk rule trade-size: BTC/USDT to 40 % instead of 100 %' },
    ],
  },
  runs: [
    {
      runId: 'spring',
      active: true,
      complete: true,
      createdAt: '2026-02-10T10:20:00.000Z',
      mode: 'quick',
      seed: 42,
      exchange: 'binance',
      symbols: ['BTC/USDT', 'ETH/USDT'],
      timeframe: '1h',
      synthetic: false,
      trainUntil: '2025-12-01T00:00:00.000Z',
      validateUntil: '2026-01-01T00:00:00.000Z',
      ensemble: score(53, 1.5),
      models: [
        {
          model: 'momentum',
          trainedAt: '2026-02-10T10:21:00.000Z',
          seconds: 4,
          weightHash: 'ab12cd34ef',
          noSkill: undefined,
          ...score(54, 2),
        },
        {
          model: 'gru',
          trainedAt: '2026-02-10T10:22:00.000Z',
          seconds: 40,
          weightHash: '0123456789',
          noSkill: 'it holds long only',
          ...score(49, -3),
        },
      ],
      damaged: undefined,
    },
  ],
  jobs: [
    {
      id: 'b',
      kind: 'train',
      state: 'running',
      since: '2026-02-13T10:00:00.000Z',
      seconds: 1200,
      line: 'tft: 30/120 (25 %) ETA 90 s',
    },
    {
      id: 'a',
      kind: 'fetch',
      state: 'failed',
      since: '2026-02-13T09:00:00.000Z',
      seconds: 3,
      line: 'The exchange did not answer.',
    },
  ],
  record: [
    {
      model: 'momentum',
      horizonBars: 4,
      hits: 400,
      judged: 1000,
      byConfidence: [{ fromPct: 60, toPct: 80, hits: 400, judged: 1000 }],
    },
  ],
  log: Array.from({ length: 50 }, (_, i) => ({
    time: `2026-02-13T10:19:${String(i).padStart(2, '0')}.000Z`,
    level: i === 49 ? ('warn' as const) : ('info' as const),
    message: `event ${i}`,
  })),
};

export const empty: DashboardView = {
  time: '2026-02-13T10:20:00.000Z',
  session: undefined,
  positions: [],
  signals: [],
  training: undefined,
  log: [],
};
