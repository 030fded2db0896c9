import type { DashboardView } from '../../../src/app/dashboard/view.ts';

/** A session in the middle of everything. */
export const busy: DashboardView = {
  time: '2026-02-13T10:20:00.000Z',
  session: {
    sessionId: 'binance-1h-20260201T000000Z',
    exchange: 'binance',
    timeframe: '1h',
    feed: 'exchange',
    synthetic: false,
    bars: 290,
    lastBarTime: '2026-02-13T09:00:00.000Z',
    overdueSeconds: undefined,
    equity: 10_123.45,
    cash: 4_000,
    changePct: 1.2345,
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
      { model: 'boosted-trees', status: 'finished', seconds: 75, loss: 0.6931 },
      { model: 'tft', status: 'running', step: 30, steps: 120, etaSeconds: 90 },
    ],
  },
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
