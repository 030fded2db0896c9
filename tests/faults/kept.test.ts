import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireTrust } from '../../src/app/plugins/trust.ts';
import {
  type BacktestArchive,
  keepBacktest,
  keptPaths,
  listBacktests,
  readBacktest,
} from '../../src/app/workflows/kept-backtests.ts';
import { keepSignals, predictions } from '../../src/app/workflows/prediction-log.ts';
import type { Signal } from '../../src/app/workflows/signals.ts';
import { openStore } from '../../src/data/store/store.ts';
import { readControl, writeControl } from '../../src/desk/paper/controls.ts';
import { readLedger } from '../../src/desk/paper/ledger.ts';
import { resumeSession, startSession, verifySession } from '../../src/desk/paper/session.ts';
import { createStudy, openStudy } from '../../src/lab/tuning/study.ts';
import { openFoldCache } from '../../src/learning/validation/fold-cache.ts';
import { randomWalk, session, steps } from '../desk/paper/walk.ts';
import { aFolder, aPipe, describeReads, none, type ReadEdge, type Row } from './matrix.ts';

/*
 * What the program has kept for itself (journals, kept backtests, caches, consent) and is read again. That all of it survives
 * full disks and kills while it is written is proved elsewhere: tests/desk/paper, tests/app/workflows, tests/lab/tuning.
 */

const lastLineTwice = (good: Buffer): string => {
  const lines = good.toString().trimEnd().split('\n');
  return `${[...lines, lines.at(-1)].join('\n')}\n`;
};
const lastLinesSwapped = (good: Buffer): string => {
  const lines = good.toString().trimEnd().split('\n');
  return `${[...lines.slice(0, -2), lines.at(-1), lines.at(-2)].join('\n')}\n`;
};

const brokenChain = /is damaged at .*: its hash does not fit it/;
const written = none('see where it is written');
/** A log chained by hash. Cut short, it ends in a torn line, as after a crash: what stands before it counts. */
const journal = {
  denied: aFolder,
  full: written,
  'short write': 'works',
  damaged: /is damaged at line 1 of/,
  huge: /the line at byte 0 has more than 16777216 bytes/,
  hostile: /it is a device, not a file/,
  late: aPipe,
  repeated: brokenChain,
  reordered: brokenChain,
} as const satisfies Partial<Row>;

async function sessionIn(folder: string): Promise<string> {
  const running = await startSession(folder, session);
  for (const { bar, decision } of steps(randomWalk(12, 1))) await running.process(bar, decision, bar.timeMs);
  await running.close();
  return folder;
}

/** The ledger alone: a snapshot would tell that bars are missing behind it. */
async function ledgerIn(folder: string): Promise<string> {
  await sessionIn(folder);
  rmSync(join(folder, 'snapshot.json'));
  return join(folder, 'ledger.jsonl');
}

async function studyIn(folder: string): Promise<string> {
  const study = await createStudy(folder, {
    type: 'study',
    version: 1,
    name: 'a',
    createdAt: '2026-01-01T00:00:00.000Z',
    program: '0',
    seed: 1,
    sampler: 'random',
    pruner: 'none',
    objectives: ['log-loss'],
    steps: 1,
    space: { x: { kind: 'float', low: 0, high: 1 } },
    task: {},
  });
  for (let trial = await study.ask(3); trial !== undefined; trial = await study.ask(3))
    await study.tell(trial.number, { state: 'complete', values: [1], violation: 0 });
  await study.close();
  return join(folder, 'study.jsonl');
}

const HOUR = 3_600_000;
async function signalsIn(folder: string): Promise<string> {
  const given = {
    exchange: 'x',
    timeframe: '1h',
    synthetic: false,
    strategy: 'own',
    ensemble: 'equal',
  } as const;
  for (const hour of [1, 2, 3]) {
    const signal: Signal = {
      symbol: 'BTC/USDT',
      time: new Date(hour * HOUR).toISOString(),
      model: 'ridge',
      noSkill: undefined,
      action: 'hold',
      position: 0,
      heldPosition: 0,
      sizePct: 0,
      confidence: 0.6,
      statedPosition: 0,
      horizon: '1 x 1h',
      horizonBars: 1,
      probabilityUp: undefined,
      expectedReturnPct: undefined,
      edge: undefined,
      costBps: 30,
      stopPct: undefined,
      targetPct: undefined,
      regime: undefined,
      volatilityPct: undefined,
      quantiles: undefined,
      reason: undefined,
      contributions: undefined,
      sentence: '',
    };
    await keepSignals(folder, { ...given, givenAtMs: hour * HOUR, runId: 'a' }, [signal]);
  }
  return join(folder, 'signals-given.jsonl');
}

const archiveOf = (folder: string): BacktestArchive => ({ folder: join(folder, 'backtests'), most: 9 });
async function backtestIn(folder: string, file: 'summary' | 'document' | 'equity'): Promise<string> {
  const figures = { totalReturnPct: 1, sharpe: 1, maxDrawdownPct: 1, tradeCount: 0 };
  const document = {
    id: 'a',
    time: '2026-01-01T00:00:00.000Z',
    exchange: 'x',
    symbols: ['BTC/USDT'],
    timeframe: '1h',
    synthetic: false,
    range: { from: '2025-01-01T00:00:00.000Z', to: '2025-02-01T00:00:00.000Z' },
    bars: 744,
    trainedBy: 'training run a',
    strategy: 'own',
    metrics: figures,
    dataFingerprint: 'ab',
    settings: {},
    weights: {},
    trials: { count: 1, effective: 1, barSharpes: [] },
    sentences: [],
    models: [],
    benchmark: { name: 'buy-and-hold', ...figures },
    costTerms: '',
    costs: {},
    rules: { initialBalance: 100 },
    trades: [],
  };
  await keepBacktest(archiveOf(folder), document, 'time,ensemble\n1,0.1\n2,0.2\n');
  return keptPaths(archiveOf(folder), 'a')[file];
}

/** Sealed by SHA-256, and links are not followed. */
const sealed = {
  absent: /is damaged or of another version: it is missing/,
  denied: /is a folder, and a file is expected/,
  full: written,
  'short write': /it does not match its SHA-256/,
  damaged: /it does not match its SHA-256/,
  huge: /it does not match its SHA-256/,
  hostile: /is a link, and a file is expected/,
  late: /is a pipe, and a file is expected/,
  repeated: /it does not match its SHA-256/,
  reordered: none('other bytes are damaged ones: they are under a hash'),
} as const satisfies Row;

/** What is computed again when it is not as it was: wrong bytes are no error. */
const cache = {
  absent: 'works',
  denied: /is a folder, and a file is expected/,
  full: written,
  'short write': 'works',
  damaged: 'works',
  huge: 'works',
  hostile: /is a link, and a file is expected/,
  late: /is a pipe, and a file is expected/,
  repeated: 'works',
  reordered: none('other bytes are damaged ones: they are under a hash'),
} as const satisfies Row;

const EDGES: readonly ReadEdge[] = [
  {
    name: 'the ledger of a paper session, by `paper verify`',
    prepare: ledgerIn,
    read: (_, folder) => verifySession(folder),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: { ...journal, absent: 'works' },
  },
  {
    name: 'the ledger of a paper session, by a restart',
    prepare: ledgerIn,
    read: async (_, folder) => (await resumeSession(folder))?.close(),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: { ...journal, absent: 'works' },
  },
  {
    name: 'the ledger of a paper session, by `paper explain`',
    prepare: ledgerIn,
    read: (_, folder) => readLedger(folder),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: { ...journal, absent: /There is no paper session/ },
  },
  {
    name: 'the ledger beside its snapshot',
    prepare: async (folder) => join(await sessionIn(folder), 'ledger.jsonl'),
    read: async (_, folder) => (await resumeSession(folder))?.close(),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: {
      ...journal,
      absent: /is gone; only its snapshot is left/,
      'short write': /lacks the bar that ended at byte/,
      repeated: brokenChain,
      reordered: /lacks the bar that ended at byte|its hash does not fit it/,
    },
  },
  {
    name: 'the snapshot of a paper session',
    prepare: async (folder) => join(await sessionIn(folder), 'snapshot.json'),
    read: async (_, folder) => (await resumeSession(folder))?.close(),
    repeated: lastLineTwice,
    cells: {
      ...cache,
      denied: aFolder,
      huge: /larger than 64 MiB/,
      hostile: /it is a device, not a file/,
      late: aPipe,
      repeated: 'works',
    },
  },
  {
    name: 'what was asked of a paper session',
    prepare: async (folder) => {
      await writeControl(folder, { mode: 'pause', sinceMs: 0 });
      return join(folder, 'control.json');
    },
    read: (_, folder) => readControl(folder),
    cells: {
      absent: 'works',
      denied: aFolder,
      full: written,
      'short write': /is damaged or of another version/,
      damaged: /not UTF-8|is damaged or of another version/,
      huge: /larger than 64 MiB/,
      hostile: /it is a device, not a file/,
      late: aPipe,
      repeated: none('one file is one word'),
      reordered: none('keys have no order'),
    },
  },
  {
    name: 'the journal of a study',
    prepare: studyIn,
    read: async (_, folder) => (await openStudy(folder)).refresh(),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: { ...journal, absent: /There is no study in/ },
  },
  {
    name: 'the log of signals',
    prepare: signalsIn,
    read: (_, folder) => predictions(folder, openStore(folder)),
    repeated: lastLineTwice,
    reordered: lastLinesSwapped,
    cells: { ...journal, absent: 'works', denied: /EISDIR|it is a folder/ },
  },
  {
    name: 'the summary of a kept backtest',
    prepare: (folder) => backtestIn(folder, 'summary'),
    read: (_, folder) => readBacktest(archiveOf(folder), 'a'),
    repeated: (good) => Buffer.concat([good, good]),
    cells: sealed,
  },
  {
    name: 'the summary of a kept backtest, in a list',
    prepare: (folder) => backtestIn(folder, 'summary'),
    read: (_, folder) => listBacktests(archiveOf(folder)),
    repeated: (good) => Buffer.concat([good, good]),
    cells: {
      ...sealed,
      ...Object.fromEntries(
        (['absent', 'denied', 'short write', 'damaged', 'huge', 'hostile', 'late', 'repeated'] as const).map(
          (fault) => [fault, 'works'],
        ),
      ),
    },
  },
  {
    name: 'the document of a kept backtest',
    prepare: (folder) => backtestIn(folder, 'document'),
    read: (_, folder) => readBacktest(archiveOf(folder), 'a'),
    repeated: (good) => Buffer.concat([good, good]),
    cells: sealed,
  },
  {
    name: 'the curves of a kept backtest',
    prepare: (folder) => backtestIn(folder, 'equity'),
    read: (_, folder) => readBacktest(archiveOf(folder), 'a'),
    repeated: (good) => Buffer.concat([good, good]),
    reordered: (good) => good.toString().split('\n').toReversed().join('\n'),
    cells: {
      ...sealed,
      absent: /its hash differs/,
      'short write': /its hash differs/,
      damaged: /its hash differs/,
      huge: /its hash differs/,
      repeated: /its hash differs/,
      reordered: /its hash differs/,
    },
  },
  {
    name: 'a fold of a walk-forward',
    prepare: async (folder) => {
      const position = Float64Array.of(0, 1, -1);
      const forecast = {
        symbol: 'BTC/USDT',
        horizonBars: 1,
        position,
        confidence: position.map(Math.abs),
      } as const;
      await openFoldCache(folder).keep('a', { forecasts: [forecast] });
      return join(folder, 'a.forecast');
    },
    read: (_, folder) => openFoldCache(folder).find('a'),
    repeated: (good) => Buffer.concat([good, good]),
    cells: cache,
  },
  {
    name: 'whom somebody has trusted',
    prepare: async (folder) => {
      await requireTrust(folder, [{ path: 'user/a.ts', sha256: 'ab', imports: [] } as never], {
        ask: undefined,
        trustAll: true,
      });
      return join(folder, 'trusted-plugins.json');
    },
    read: (_, folder) => requireTrust(folder, [], { ask: undefined, trustAll: false }),
    repeated: (good) => Buffer.concat([good, good]),
    cells: {
      absent: 'works',
      denied: aFolder,
      full: written,
      'short write': /is damaged or of another version/,
      damaged: /not UTF-8|is damaged or of another version/,
      huge: /larger than 64 MiB/,
      hostile: /it is a device, not a file/,
      late: aPipe,
      repeated: /is damaged or of another version/,
      reordered: none('keys have no order'),
    },
  },
];

describeReads('what the program has kept', EDGES);
