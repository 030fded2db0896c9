import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../../../src/core/foundation/random.ts';
import { CANDLE_COLUMNS } from '../../../src/core/market/candles.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { verifySession } from '../../../src/desk/paper/session.ts';
import { trialsOf } from '../../../src/lab/backtest/trials.ts';
import { isLost, openStudy } from '../../../src/lab/tuning/study.ts';
import { activeRunId, runInUse } from '../../../src/learning/training/active-run.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { surveyRuns } from '../../../src/learning/training/run-folder.ts';
import { finishRun } from '../../../src/learning/training/train.ts';
import { KEYS, served, type FetchWorld } from './fetch-life.ts';
import type { Kind } from './life.ts';
import { liveRound } from './live-round.ts';
import { type Lives, someDeath } from './lives.ts';
import { live as paperLife, type PaperWorld } from './paper-life.ts';
import * as retraining from './retrain-life.ts';
import * as tuning from './tune-life.ts';

/** Some kills of one kind, and what must hold in the end. The same seed kills at the same operations. Throws when something does not hold. */
export interface Round {
  readonly lives: Lives;
  readonly seed: number;
  readonly kills: number;
}
/** How often it killed, and a word on what came of it. */
export interface Survived {
  readonly kills: number;
  readonly found: string;
}

export const ROUNDS: Readonly<Record<Kind, (round: Round) => Promise<Survived>>> = {
  fetch: fetchRound,
  paper: paperRound,
  live: liveRound,
  retrain: retrainRound,
  tune: tuneRound,
};

/**
 * Worlds, one after another, each lived in by processes that are killed until one comes to its end, or `kills` are used up: then the last
 * one is let live. Each life ends within `span` operations, most of them.
 */
async function inWorlds(
  { lives, seed, kills }: Round,
  kind: Kind,
  of: {
    readonly span: number;
    readonly begin: (folder: string) => unknown;
    /** After each kill: what anybody may look at, at any time. */
    readonly look?: (folder: string, random: Random) => Promise<void>;
    readonly end: (folder: string, result: unknown) => Promise<void>;
  },
): Promise<{ readonly kills: number; readonly worlds: number }> {
  const random = createRandom(seed);
  let [done, worlds] = [0, 0];
  while (done < kills) {
    const folder = mkdtempSync(join(tmpdir(), `storm-${kind}-`));
    try {
      const world = of.begin(folder);
      for (;;) {
        const ended = await lives.live(kind, world, done < kills ? someDeath(random, of.span) : undefined);
        if (!ended.killed) {
          await of.end(folder, ended.result);
          break;
        }
        done++;
        await of.look?.(folder, random);
      }
      worlds++;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return { kills: done, worlds };
}

/** Every bar that was served, once; a reader in between sees whole pages from the first bar on. */
async function fetchRound(round: Round): Promise<Survived> {
  const { seed } = round;
  const { kills, worlds } = await inWorlds(round, 'fetch', {
    span: 60,
    begin: (folder): FetchWorld => ({ folder, seed }),
    look: async (folder, random) => {
      if (random() < 0.7) return;
      const store = openStore(folder);
      for (const [s, key] of KEYS.entries())
        if ((await store.manifest(key)) !== undefined) await expectServed(folder, s, seed, false);
    },
    end: async (folder) => {
      for (const s of KEYS.keys()) await expectServed(folder, s, seed, true);
    },
  });
  return { kills, found: `${worlds} stores` };
}

async function expectServed(folder: string, s: number, seed: number, whole: boolean): Promise<void> {
  const store = openStore(folder);
  const [key, expected] = [KEYS[s], served(s, seed)];
  assert.deepEqual(await store.verify(key), []);
  const candles = await store.read(key);
  const rows = whole ? expected.time.length : candles.time.length;
  for (const column of CANDLE_COLUMNS)
    assert.deepEqual(candles[column], expected[column].slice(0, rows), `${key.symbol}: ${column}`);
}

/** The ledger of a session that nobody killed, byte for byte. */
async function paperRound(round: Round): Promise<Survived> {
  const { seed } = round;
  const bars = 150;
  const calm = mkdtempSync(join(tmpdir(), 'storm-calm-'));
  const ledger = (folder: string): string => readFileSync(join(folder, 'session/ledger.jsonl'), 'utf8');
  const worldIn = (folder: string): PaperWorld => ({ folder: join(folder, 'session'), bars, seed });
  try {
    await paperLife(worldIn(calm));
    const { kills, worlds } = await inWorlds(round, 'paper', {
      span: 48,
      begin: worldIn,
      end: async (folder) => {
        const verified = await verifySession(join(folder, 'session'));
        assert.deepEqual(verified, { bars, tornBytes: 0 });
        assert.ok(ledger(folder) === ledger(calm), 'the ledger is another one than that of a calm session');
      },
    });
    return { kills, found: `${worlds} ledgers of ${bars} bars` };
  } finally {
    rmSync(calm, { recursive: true });
  }
}

/**
 * The active run is the old one or the new one, whole, at any time; the new one is the one that nobody's death would have made, and so is
 * what a killed training began and another finishes; the session goes on by whichever is active, bar after bar.
 */
async function retrainRound(round: Round): Promise<Survived> {
  const template = mkdtempSync(join(tmpdir(), 'storm-project-'));
  const calm = mkdtempSync(join(tmpdir(), 'storm-calm-'));
  try {
    await retraining.prepare(template, round.seed);
    const champion = await activeRunId(retraining.checkpoints(template));
    cpSync(template, calm, { recursive: true });
    const told = await retraining.live({ folder: calm });
    assert.ok('test' in told, 'there is something to retrain on');
    const expected = { ...told, champion, challenger: undefined };
    const weights = await weightsOf(calm, told.challenger);
    let finished = 0;
    const { kills, worlds } = await inWorlds(round, 'retrain', {
      span: 100,
      begin: (folder): retraining.RetrainWorld => {
        cpSync(template, folder, { recursive: true });
        return { folder };
      },
      look: async (folder) => {
        const active = await expectWhole(folder);
        if (active !== champion) assert.deepEqual(await weightsOf(folder, active), weights);
      },
      end: async (folder, result) => {
        const found = result as Awaited<ReturnType<typeof retraining.live>>;
        // Killed between promoting a run and telling of it, the next life has nothing to do.
        if ('test' in found) assert.deepEqual({ ...found, champion, challenger: undefined }, expected);
        const active = await expectWhole(folder);
        assert.equal(active !== champion, told.kind === 'promoted');
        if (active !== champion) assert.deepEqual(await weightsOf(folder, active), weights);
        const { runs, damaged } = await surveyRuns(retraining.checkpoints(folder));
        assert.deepEqual(damaged, []);
        const begun = runs.filter((run) => run.result === undefined).slice(-1);
        for (const run of begun) {
          await finishRun(run, retraining.surroundings(folder));
          assert.deepEqual(await weightsOf(folder, run.runId), weights);
          finished++;
        }
        assert.equal(await expectWhole(folder), active);
        const verified = await verifySession(retraining.sessionFolder(folder));
        assert.equal(verified?.tornBytes, 0);
      },
    });
    return { kills, found: `${worlds} times ${told.kind}, ${finished} begun runs finished` };
  } finally {
    for (const folder of [template, calm]) rmSync(folder, { recursive: true });
  }
}

/** The active run, after all of its models have been loaded. */
async function expectWhole(root: string): Promise<string> {
  const { runId } = await runInUse(retraining.checkpoints(root));
  const { members } = await loadTrained(retraining.checkpoints(root), { runId });
  for (const { fitted } of members) fitted.dispose?.();
  return runId;
}

async function weightsOf(root: string, runId: string): Promise<readonly string[]> {
  const { members } = await loadTrained(retraining.checkpoints(root), { runId });
  for (const { fitted } of members) fitted.dispose?.();
  return members.map(({ manifest }) => manifest.weightHash);
}

/** Every trial has one result, every suggestion follows from the journal, and each rule is counted once. */
async function tuneRound(round: Round): Promise<Survived> {
  const template = mkdtempSync(join(tmpdir(), 'storm-candles-'));
  try {
    await tuning.prepare(template, round.seed);
    let again = 0;
    const { kills, worlds } = await inWorlds(round, 'tune', {
      span: 60,
      begin: (folder): tuning.TuneWorld => {
        cpSync(template, folder, { recursive: true });
        return { folder, seed: round.seed };
      },
      end: async (folder) => {
        const study = await openStudy(tuning.studyFolder(folder));
        await study.refresh();
        assert.deepEqual(await study.verify(), []);
        const all = study.trials();
        const done = all.filter((trial) => !isLost(trial));
        again += all.length - done.length;
        assert.equal(done.length, tuning.TRIALS);
        for (const { state, intermediate } of done) {
          assert.equal(state, 'complete');
          assert.deepEqual(
            intermediate.map(([step]) => step),
            Array.from({ length: tuning.FOLDS }, (_, fold) => fold),
          );
        }
        const params = new Set(done.map((trial) => JSON.stringify(trial.params)));
        assert.ok(done[0].given || all[0].given, 'the untuned parameters are tried first');
        const lines = readFileSync(tuning.trialsFile(folder), 'utf8').split('\n');
        assert.equal(trialsOf(tuning.trialsFile(folder), tuning.MARKET).length, params.size);
        assert.equal(lines.filter((line) => line.endsWith('}')).length, params.size);
      },
    });
    return { kills, found: `${worlds} studies, ${again} trials done again` };
  } finally {
    rmSync(template, { recursive: true });
  }
}
