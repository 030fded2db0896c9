import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { encodeLink } from '../../../src/data/journal/chain.ts';
import type { BarRecord, LedgerRecord } from '../../../src/desk/paper/record.ts';
import {
  type PaperSession,
  resumeSession,
  startSession,
  verifySession,
} from '../../../src/desk/paper/session.ts';
import { randomWalk, session, type Step, steps } from './walk.ts';

let root: string;
let folders = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'paper-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const newFolder = (): string => join(root, String(folders++));
const ledgerOf = (folder: string): string => readFileSync(join(folder, 'ledger.jsonl'), 'utf8');

async function processAll(running: PaperSession, all: readonly Step[]): Promise<BarRecord[]> {
  const records: BarRecord[] = [];
  for (const { bar, decision } of all) {
    const record = await running.process(bar, decision, bar.timeMs);
    if (record !== undefined) records.push(record);
  }
  return records;
}

const resumed = async (folder: string): Promise<PaperSession> => {
  const found = await resumeSession(folder);
  if (found === undefined) throw new Error('no session');
  return found;
};

/** A finished session, and the same ledger cut off after `bytes`, without a snapshot. */
async function finished(bars = 60) {
  const walk = randomWalk(bars, 3);
  const folder = newFolder();
  const running = await startSession(folder, session);
  const records = await processAll(running, steps(walk));
  await running.close();
  return { walk, folder, records, ledger: ledgerOf(folder) };
}

async function cutAt(ledger: string, bytes: number): Promise<string> {
  const folder = newFolder();
  await mkdir(folder);
  writeFileSync(join(folder, 'ledger.jsonl'), ledger.slice(0, bytes));
  return folder;
}

describe('a paper session', () => {
  it('makes exactly the fills, trades and equity of a backtest over the same candles and targets', async () => {
    const { walk, records } = await finished(400);
    const backtest = runBacktest({ ...walk, instruments: session.instruments, rules: session.rules });
    const events = records.flatMap((record) => record.events);
    expect(events.filter((event) => event.kind === 'fill')).toEqual(backtest.fills);
    expect(events.filter((event) => event.kind === 'trade')).toEqual(backtest.trades);
    expect(events.filter((event) => event.kind === 'rejected')).toEqual(backtest.rejections);
    expect(records.map((record) => record.equity)).toEqual([...backtest.equity]);
    expect(backtest.fills.length).toBeGreaterThan(50);
  });

  it('processes a bar once, however often it is offered', async () => {
    const { walk, folder, ledger } = await finished();
    const again = await resumed(folder);
    expect(await processAll(again, steps(walk))).toEqual([]);
    await again.close();
    expect(ledgerOf(folder)).toBe(ledger);
  });

  it('writes nothing that could not be read back', async () => {
    const folder = newFolder();
    const running = await startSession(folder, session);
    const before = ledgerOf(folder);
    const [{ bar, decision }] = steps(randomWalk(1, 3));
    const models: Record<string, [number, number][]> = { trees: [[1, NaN]] };
    await expect(running.process(bar, { ...decision, models }, 0)).rejects.toThrow(/expected number/);
    await running.close();
    expect(ledgerOf(folder)).toBe(before);
  });

  it('orders nothing on a missed decision', async () => {
    const running = await startSession(newFolder(), session);
    const missed = steps(randomWalk(60, 3)).map(({ bar, decision }) => ({
      bar,
      decision: { ...decision, decision: 'missed' as const },
    }));
    const records = await processAll(running, missed);
    await running.close();
    expect(records.flatMap((record) => record.events)).toEqual([]);
    expect(records.at(-1)?.equity).toBe(session.rules.initialBalance);
  });
});

describe('a ledger that was cut off at any byte', () => {
  it('ends the same as an uninterrupted one, and says what was cut off', async () => {
    const { walk, ledger } = await finished();
    const random = createRandom(11);
    const header = ledger.indexOf('\n') + 1;
    for (let i = 0; i < 40; i++) {
      const bytes = header + Math.floor(random() * (ledger.length - header));
      const folder = await cutAt(ledger, bytes);
      const torn = bytes - (ledger.lastIndexOf('\n', bytes - 1) + 1);
      const running = await resumed(folder);
      expect(running.recovery).toMatchObject({ recovered: true, tornBytes: torn });
      await processAll(running, steps(walk));
      await running.close();
      expect(ledgerOf(folder)).toBe(ledger);
    }
  });

  it('is no session yet when not even its first line is whole', async () => {
    const { ledger } = await finished(2);
    await expect(resumeSession(await cutAt(ledger, 20))).rejects.toThrow('the line is not complete');
    expect(await resumeSession(newFolder())).toBeUndefined();
  });
});

describe('a restart', () => {
  it('replays from the snapshot, or from the first bar without one, to the same state', async () => {
    const { folder, ledger, records } = await finished();
    const quick = await resumed(folder);
    const slow = await resumed(await cutAt(ledger, ledger.length));
    expect([quick.recovery.barsReplayed, slow.recovery.barsReplayed]).toEqual([0, 60]);
    expect(quick.account.snapshot()).toEqual(slow.account.snapshot());
    expect(quick.last).toEqual(records.at(-1));
    expect(quick.last).toEqual(slow.last);
    await quick.close();
    await slow.close();
  });

  it('ignores a snapshot that is not whole: cut off, with a flipped bit, of another version', async () => {
    const { folder, ledger } = await finished();
    const snapshot = readFileSync(join(folder, 'snapshot.json'), 'utf8');
    const cash = snapshot.indexOf('"cash":') + 8;
    for (const text of [
      snapshot.slice(0, 300),
      `${snapshot.slice(0, cash)}${snapshot[cash] === '1' ? '2' : '1'}${snapshot.slice(cash + 1)}`,
      '{"position":{},"last":{},"portfolio":{}}',
    ]) {
      const place = await cutAt(ledger, ledger.length);
      writeFileSync(join(place, 'snapshot.json'), text);
      const running = await resumed(place);
      expect(running.recovery.barsReplayed).toBe(60);
      await running.close();
    }
  });

  it('refuses a ledger that lacks what its snapshot was taken of, or that is gone beside its snapshot', async () => {
    const { folder, ledger } = await finished();
    const cut = await cutAt(ledger, ledger.lastIndexOf('\n', ledger.length - 2) + 1);
    copyFileSync(join(folder, 'snapshot.json'), join(cut, 'snapshot.json'));
    await expect(resumeSession(cut)).rejects.toThrow('bars are missing at its end');
    rmSync(join(cut, 'ledger.jsonl'));
    await expect(resumeSession(cut)).rejects.toThrow('only its snapshot is left');
  });
});

describe('a damaged ledger is refused:', () => {
  it.each([
    [
      'a changed digit',
      (text: string) => text.replace('"volume":', '"volume":').replace(/"equity":1/, '"equity":2'),
    ],
    [
      'a line that is missing',
      (text: string) =>
        text
          .split('\n')
          .filter((_, i) => i !== 4)
          .join('\n'),
    ],
    ['two lines in the wrong order', (text: string) => swapLines(text, 4, 5)],
    [
      'a line that stands twice',
      (text: string) =>
        text
          .split('\n')
          .flatMap((line, i) => (i === 4 ? [line, line] : [line]))
          .join('\n'),
    ],
    ['a whole line of something else', (text: string) => `${text}{}\n`],
  ])('%s', async (_, damage) => {
    const { ledger } = await finished();
    const folder = await cutAt(ledger, 0);
    writeFileSync(join(folder, 'ledger.jsonl'), damage(ledger));
    await expect(resumeSession(folder)).rejects.toThrow(/The paper ledger is damaged at byte \d+/);
  });

  it('a fill that the trading core would not make, even when every hash fits', async () => {
    const { ledger } = await finished();
    const forged = await cutAt(ledger, 0);
    let hash = '';
    for (const line of ledger.trimEnd().split('\n')) {
      const { hash: _, ...record } = JSON.parse(line) as LedgerRecord & { hash: string };
      if (record.kind === 'bar' && record.events.some((event) => event.kind === 'fill'))
        record.events = record.events.map((event) =>
          event.kind === 'fill' ? { ...event, price: event.price * 0.99 } : event,
        );
      const link = encodeLink(record, hash);
      hash = link.hash;
      appendFileSync(join(forged, 'ledger.jsonl'), link.line);
    }
    await expect(resumeSession(forged)).rejects.toThrow(
      'replaying the bar gives other events than those on record',
    );
  });

  it('before a snapshot it is found at the start, in a long ledger while the session runs', async () => {
    const { walk, folder, ledger } = await finished();
    expect(await verifySession(folder)).toEqual({ bars: 60, tornBytes: 0 });
    const at = ledger.indexOf('"equity":1');
    writeFileSync(join(folder, 'ledger.jsonl'), ledger.slice(0, at) + '"equity":9' + ledger.slice(at + 10));
    await expect(verifySession(folder)).rejects.toThrow('its hash does not fit');
    await expect(resumeSession(folder)).rejects.toThrow('its hash does not fit');

    const snapshot = readFileSync(join(folder, 'snapshot.json'), 'utf8');
    const running = await resumeSession(folder, { checkFirstBytes: 0 });
    await expect(running?.checked).rejects.toThrow('its hash does not fit');
    await expect(running?.assertSound()).rejects.toThrow('its hash does not fit');
    const [{ bar, decision }] = steps(walk);
    await expect(running?.process(bar, decision, 0)).rejects.toThrow('its hash does not fit');
    await running?.close();
    expect(readFileSync(join(folder, 'snapshot.json'), 'utf8')).toBe(snapshot);
  });

  it.each([
    ['a start from the snapshot', resumeSession, true],
    ['a start without one', resumeSession, false],
    ['a full replay', verifySession, true],
  ] as const)(
    'any flipped byte of it, by %s',
    async (_, read, snapshot) => {
      const { folder, ledger } = await finished(2);
      const bytes = Buffer.from(ledger);
      if (!snapshot) rmSync(join(folder, 'snapshot.json'));
      const unnoticed: number[] = [];
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at] ^= 1 << (at % 8);
        writeFileSync(join(folder, 'ledger.jsonl'), flipped);
        await read(folder).then(
          () => unnoticed.push(at),
          (error: unknown) => {
            if (!(error instanceof UserError)) throw error;
          },
        );
      }
      expect(bytes.length).toBeGreaterThan(1500);
      expect(unnoticed).toEqual([]);
    },
    240_000,
  );

  it.each([
    ['removed', (path: string) => rmSync(path), 'was removed while it was in use'],
    [
      'replaced',
      (path: string) => {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
      'was replaced by another file',
    ],
    ['cut', (path: string) => truncateSync(path, 100), 'was cut by something else'],
    ['written to', (path: string) => appendFileSync(path, 'x'), 'was written to by something else'],
  ])('under a running session, %s: it stops with a word', async (_, harm, words) => {
    const folder = newFolder();
    const running = await startSession(folder, session);
    const all = steps(randomWalk(3, 3));
    await processAll(running, all.slice(0, 2));
    harm(join(folder, 'ledger.jsonl'));
    await expect(running.assertSound()).rejects.toThrow(words);
    await expect(processAll(running, all)).rejects.toThrow(words);
    await running.close();
    expect(existsSync(join(folder, 'snapshot.json'))).toBe(false);
  });
});

it('a ledger keeps every number bit for bit', async () => {
  const { folder, records } = await finished();
  const running = await resumed(folder);
  await running.close();
  truncateSync(join(folder, 'snapshot.json'));
  const again = await resumed(folder);
  expect(again.last).toEqual(records.at(-1));
  await again.close();
});

function swapLines(text: string, a: number, b: number): string {
  const lines = text.split('\n');
  [lines[a], lines[b]] = [lines[b], lines[a]];
  return lines.join('\n');
}
