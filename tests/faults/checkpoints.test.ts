import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/core/foundation/errors.ts';
import { sha256 } from '../../src/data/store/fingerprint.ts';
import { weightHash } from '../../src/learning/training/artifact-folder.ts';
import { loadTrained } from '../../src/learning/training/checkpoints.ts';
import { planRun } from '../../src/learning/training/plan.ts';
import { findRun } from '../../src/learning/training/run-folder.ts';
import { seal, unseal } from '../../src/learning/training/sealed-json.ts';
import { finishRun, startRun } from '../../src/learning/training/train.ts';
import { SETTINGS, surroundings, walkStore } from '../learning/training/runs.ts';
import { temporaryFolder } from '../support/folder.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** One finished run of two models, one of them with a file beside its JSON; every test has a copy. */
let original: string;
beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), 'faults-'));
  const around = surroundings(original, await walkStore(original));
  const models = ['buy-and-hold', 'boosted-trees'];
  const params = { 'boosted-trees': { rounds: 2, features: ['return_1', 'rsi_14'] } };
  const plan = await planRun(around.store, { ...SETTINGS, models, params });
  await finishRun(await startRun(plan, around, 'run'), around);
});
afterAll(() => rmSync(original, { recursive: true }));

function copy(): string {
  const folder = join(temporaryFolder(), 'checkpoints');
  cpSync(join(original, 'checkpoints'), folder, { recursive: true });
  return folder;
}

/** What each fault does to a file. */
const FAULTS = {
  absent: (file: string) => rmSync(file),
  'a folder in its place': (file: string) => {
    rmSync(file);
    mkdirSync(file);
  },
  'one bit flipped': (file: string) => {
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 4;
    writeFileSync(file, bytes);
  },
  'cut off': (file: string) => writeFileSync(file, readFileSync(file).subarray(0, -40)),
  empty: (file: string) => writeFileSync(file, ''),
  'its content twice': (file: string) =>
    writeFileSync(file, Buffer.concat([readFileSync(file), readFileSync(file)])),
  huge: (file: string) => truncateSync(file, 3 * 2 ** 30),
  'a link to itself elsewhere': (file: string) => {
    renameSync(file, `${file}.elsewhere`);
    symlinkSync(`${file}.elsewhere`, file);
  },
  'a link to a device': (file: string) => {
    rmSync(file);
    symlinkSync('/dev/zero', file);
  },
  'a pipe that nobody writes': (file: string) => {
    rmSync(file);
    execFileSync('mkfifo', [file]);
  },
} as const;
type Fault = keyof typeof FAULTS;

/** What is promised where a file is not there; everything else names the file. */
const ABSENT: Readonly<Record<string, RegExp | 'goes on'>> = {
  'active.json': 'goes on',
  'run/run.json': /"run" is not a training run/,
  'run/complete.json': /"run" is not complete/,
  'run/boosted-trees/manifest.json': /has no model "boosted-trees"/,
  'run/boosted-trees/model.json': /boosted-trees" is damaged: "model.json" is missing/,
  'run/boosted-trees/trees': /boosted-trees" is damaged: "trees" is missing/,
};
const SAID: Readonly<Record<Exclude<Fault, 'absent'>, RegExp>> = {
  'a folder in its place': /is a folder, and a file is expected/,
  'one bit flipped': /SHA-256/,
  'cut off': /SHA-256/,
  empty: /SHA-256/,
  'its content twice': /SHA-256/,
  huge: /bytes, at most \d+ are read/,
  'a link to itself elsewhere': /is a link, and a file is expected/,
  'a link to a device': /is a link, and a file is expected/,
  'a pipe that nobody writes': /is a pipe, and a file is expected/,
};
const isFault = (name: string): name is Fault => Object.hasOwn(FAULTS, name);

describe.each(Object.keys(ABSENT))('%s', (file) => {
  it.each(Object.keys(FAULTS).filter(isFault))('%s', async (fault) => {
    const folder = copy();
    FAULTS[fault](join(folder, file));
    const load = loadTrained(folder);
    const absent = ABSENT[file];
    if (fault === 'absent' && absent === 'goes on') {
      expect((await load).runId).toBe('run');
      return;
    }
    const error: unknown = await load.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    if (!(error instanceof UserError)) return;
    if (fault === 'absent') expect(error.message).toMatch(absent);
    else {
      expect(error.message).toMatch(SAID[fault]);
      expect(error.message).toContain(basename(file));
    }
    expect(error.hint).not.toBe('');
  });
});

it('every byte of every JSON of a run is held by a hash: one flipped bit is refused by name', async () => {
  const folder = copy();
  const files = [
    'active.json',
    'run/run.json',
    'run/complete.json',
    'run/buy-and-hold/manifest.json',
    'run/buy-and-hold/model.json',
  ];
  let flipped = 0;
  for (const file of files) {
    const path = join(folder, file);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << (at % 8);
      writeFileSync(path, bytes);
      const error: unknown = await loadTrained(folder, { models: ['buy-and-hold'] }).then(
        () => `byte ${at} of ${file} was believed`,
        (reason: unknown) => reason,
      );
      if (!(error instanceof UserError) || !error.message.includes(basename(file)))
        expect.fail(`${file}, byte ${at}: ${String(error)}`);
      flipped++;
    }
    writeFileSync(path, whole);
  }
  expect((await loadTrained(folder)).runId).toBe('run');
  expect(flipped).toBeGreaterThan(3000);
});

const AnyObject = z.looseObject({});
/** As somebody who seals what they changed: hashes alone do not stop them. */
function forge(file: string, change: (value: Record<string, unknown>) => void): string {
  const value = AnyObject.parse(unseal(readFileSync(file, 'utf8'))?.value);
  change(value);
  const { text, sha256: hash } = seal(value);
  writeFileSync(file, text);
  return hash;
}

describe('a run from a stranger', () => {
  it.each(['../../elsewhere', 'ridge', '.', 'run/boosted-trees'])(
    'whose result names "%s" is refused',
    async (model) => {
      const folder = copy();
      forge(join(folder, 'run/complete.json'), (result) => (result['models'] = ['buy-and-hold', model]));
      await expect(loadTrained(folder)).rejects.toThrow(/complete.json" is damaged/);
    },
  );

  it('whose plan was changed and sealed again is not that of its result, nor of its models', async () => {
    const folder = copy();
    const planSha256 = forge(join(folder, 'run/run.json'), (plan) => (plan['validateUntilMs'] = 1));
    await expect(loadTrained(folder)).rejects.toThrow(/complete.json" is damaged.*another run.json/);
    forge(join(folder, 'run/complete.json'), (result) => (result['planSha256'] = planSha256));
    await expect(loadTrained(folder)).rejects.toThrow('its validateUntilMs is another');
  });

  it('whose model.json has the right hash and is no JSON is a sentence', async () => {
    const folder = copy();
    const text = '{"unfinished": ';
    writeFileSync(join(folder, 'run/buy-and-hold/model.json'), text);
    const files = { 'model.json': sha256(new TextEncoder().encode(text)) };
    const manifest = forge(join(folder, 'run/buy-and-hold/manifest.json'), (value) =>
      Object.assign(value, { files, weightHash: weightHash(files) }),
    );
    forge(join(folder, 'run/complete.json'), (result) => {
      result['manifests'] = { ...AnyObject.parse(result['manifests']), 'buy-and-hold': manifest };
    });
    await expect(loadTrained(folder)).rejects.toThrow(/buy-and-hold" is damaged: "model.json" is no JSON/);
  });

  it('whose model lies behind a link is not followed', async () => {
    const folder = copy();
    renameSync(join(folder, 'run/buy-and-hold'), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'run/buy-and-hold'));
    await expect(loadTrained(folder)).rejects.toThrow(/buy-and-hold" is a link/);
  });

  it('whose manifest another training ended with is refused', async () => {
    const folder = copy();
    forge(join(folder, 'run/buy-and-hold/manifest.json'), (value) => (value['seconds'] = 1e-3));
    await expect(loadTrained(folder)).rejects.toThrow('is not the one with which its run ended');
  });

  it('does not hide the others when it is damaged', async () => {
    const folder = copy();
    cpSync(join(folder, 'run'), join(folder, 'other'), { recursive: true });
    writeFileSync(join(folder, 'other/run.json'), '{');
    expect((await loadTrained(folder)).runId).toBe('run');
    await expect(findRun(folder, 'other')).rejects.toThrow(/run.json" is damaged/);
  });
});
