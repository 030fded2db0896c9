import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadEnvironmentFile } from '../../src/app/cli/environment-file.ts';
import { createLog } from '../../src/app/cli/logging.ts';
import { environmentName, loadConfig } from '../../src/app/config/load.ts';
import { readCandlesCsv } from '../../src/data/csv/read.ts';
import { readSeriesCsv } from '../../src/data/csv/series.ts';
import { exportCandles } from '../../src/data/export.ts';
import { writeFileAtomic } from '../../src/data/files.ts';
import { acquireLock } from '../../src/data/lock.ts';
import { openStore } from '../../src/data/store/store.ts';
import { openJournal } from '../../src/learning/training/journal.ts';
import { findRun } from '../../src/learning/training/run-folder.ts';
import { walk } from '../support/candles.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  aFolder,
  aPipe,
  cellsOf,
  check,
  describeReads,
  type Fault,
  none,
  notWritten,
  outcome,
  type ReadEdge,
  reversedKeys,
  type Row,
} from './matrix.ts';

/*
 * Every edge to files, environment and terminal, against every fault: see matrix.ts for what a cell says. The ledger of trials,
 * journals and what is kept of backtests have tables of their own.
 */

const key = { exchange: 'csv', symbol: 'BTC/USDT', timeframe: '1h' } as const;
const START = Date.UTC(2025, 0, 1);
const candles = walk(48, { startMs: START });

// ---------------------------------------------------------------------------------------------- files that are read

const file = (name: string, content: string | Buffer) => (folder: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const candlesCsv = [
  'timestamp,open,high,low,close,volume',
  ...[0, 1, 2].map((hour) => `${START + hour * 3_600_000},10,12,9,11,5`),
].join('\n');
const seriesCsv = 'date,value\n2025-01-01,20\n2025-01-02,30\n2025-01-03,40\n';
const lastLineTwice = (good: Buffer): string => {
  const lines = good.toString().trimEnd().split('\n');
  return [...lines, lines.at(-1)].join('\n');
};
const lastLineFirst = (good: Buffer): string => {
  const [head, ...lines] = good.toString().trimEnd().split('\n');
  return [head, lines.at(-1), ...lines.slice(0, -1)].join('\n');
};
async function storedDataset(folder: string): Promise<string> {
  const store = openStore(join(folder, 'data'));
  await store.merge(key, candles, { source: 'csv', synthetic: false });
  return store.folder(key);
}

const READS: readonly ReadEdge[] = [
  {
    name: 'config.yaml',
    prepare: file('config.yaml', 'seed: 7\ntrading: { feeBps: 5 }\n'),
    read: (path) => loadConfig({ file: path, fileRequired: true, environment: {}, flags: {} }),
    repeated: (good) => `${good.toString()}seed: 7\n`,
    reordered: (good) => good.toString().trimEnd().split('\n').reverse().join('\n'),
    cells: {
      absent: /Cannot read the configuration ".*": there is no such file/,
      denied: aFolder,
      full: notWritten,
      'short write': none('half of it may be a whole configuration: nothing tells'),
      damaged: /line 1 is not UTF-8/,
      huge: /larger than 1 MiB/,
      hostile: /is a device, not a file/,
      late: aPipe,
      repeated: /duplicated mapping key/,
      reordered: 'works',
    },
  },
  {
    name: '.env',
    prepare: file('.env', 'CRYPTO_TRADER_SEED=7\nCRYPTO_TRADER_LOG_DIR=l\n'),
    read: (path) => loadEnvironmentFile(path, {}),
    repeated: lastLineTwice,
    reordered: lastLineFirst,
    cells: {
      absent: 'works',
      denied: aFolder,
      full: notWritten,
      'short write': /line 2 sets nothing/,
      damaged: /line 1 is not UTF-8/,
      huge: /larger than 1 MiB/,
      hostile: /is a device, not a file/,
      late: aPipe,
      repeated: 'works',
      reordered: 'works',
    },
  },
  {
    name: 'candles as CSV',
    prepare: file('candles.csv', candlesCsv),
    read: (path) => readCandlesCsv(path, key),
    repeated: lastLineTwice,
    reordered: lastLineFirst,
    cells: {
      absent: /Cannot open ".*candles.csv" \(ENOENT\)/,
      denied: /is not a file/,
      full: notWritten,
      'short write': /line \d: it has \d fields, too few/,
      damaged: /has no column for|cannot be read/,
      huge: /cannot be read/,
      hostile: /is not a file/,
      late: /is not a file/,
      repeated: /line 5: .* comes twice, first in line 4/,
      reordered: /line 3: .* comes after the later/,
    },
  },
  {
    name: 'candles as gzipped CSV',
    prepare: file('candles.csv.gz', gzipSync(candlesCsv)),
    read: (path) => readCandlesCsv(path, key),
    repeated: (good) => Buffer.concat([good, good]),
    cells: {
      absent: /Cannot open ".*candles.csv.gz" \(ENOENT\)/,
      denied: /is not a file/,
      full: notWritten,
      'short write': /cannot be read: unexpected end of file/,
      damaged: /cannot be read: incorrect header check/,
      huge: /cannot be read/,
      hostile: /is not a file/,
      late: /is not a file/,
      repeated: /line 4: /,
      reordered: none('compressed bytes in another order are damaged ones'),
    },
  },
  {
    name: 'a series as CSV',
    prepare: file('fear-greed.csv', seriesCsv),
    read: (path) => readSeriesCsv(path, 'fear-greed'),
    repeated: lastLineTwice,
    reordered: lastLineFirst,
    cells: {
      absent: /Cannot open ".*fear-greed.csv" \(ENOENT\)/,
      denied: /is not a file/,
      full: notWritten,
      'short write': none('half of it may be whole rows: nothing tells'),
      damaged: /has no column for|cannot be read/,
      huge: /cannot be read/,
      hostile: /is not a file/,
      late: /is not a file/,
      repeated: /does not come after/,
      reordered: /does not come after/,
    },
  },
  {
    name: "a dataset's manifest",
    prepare: async (folder) => join(await storedDataset(folder), 'manifest.json'),
    read: (_, folder) => openStore(join(folder, 'data')).read(key),
    repeated: (good) => Buffer.concat([good, good]),
    reordered: (good) => JSON.stringify(reversedKeys(JSON.parse(good.toString()))),
    cells: {
      absent: /no candles of csv BTC\/USDT 1h/,
      denied: aFolder,
      full: none('see the store among the files that are written'),
      'short write': /is damaged or of another version/,
      damaged: /not UTF-8|is damaged or of another version/,
      huge: /larger than 64 MiB/,
      hostile: /is a device, not a file/,
      late: aPipe,
      repeated: /is damaged or of another version/,
      reordered: 'works',
    },
  },
  {
    name: "a month's parquet file",
    prepare: async (folder) => join(await storedDataset(folder), '2025-01.parquet'),
    read: (_, folder) => openStore(join(folder, 'data')).read(key),
    repeated: (good) => Buffer.concat([good, good]),
    cells: {
      absent: /2025-01.parquet" is missing/,
      denied: aFolder,
      full: none('see the store among the files that are written'),
      'short write': /is damaged: its SHA-256/,
      damaged: /is damaged: its SHA-256/,
      huge: /larger than 64 MiB/,
      hostile: /is a device, not a file/,
      late: aPipe,
      repeated: /is damaged: its SHA-256/,
      reordered: none('other bytes are damaged ones: they are under a hash'),
    },
  },
  {
    name: 'the plan of a run',
    prepare: (folder) => {
      mkdirSync(join(folder, 'checkpoints', 'mine'), { recursive: true });
      return file(join('checkpoints', 'mine', 'run.json'), '{"version":1}')(folder);
    },
    read: (_, folder) => findRun(join(folder, 'checkpoints'), 'mine'),
    cells: {
      absent: /"mine" is not a training run/,
      denied: /is a folder, and a file is expected/,
      full: none('see the folder of a run among the files that are written'),
      'short write': /is damaged or of another version/,
      damaged: /not UTF-8|is damaged or of another version/,
      huge: /has \d+ bytes, at most 16777216 are read/,
      // The device is planted as a link, and links are not followed here.
      hostile: /is a link, and a file is expected/,
      late: /is a pipe, and a file is expected/,
      repeated: none('JSON of two documents is damaged JSON'),
      reordered: none('keys have no order'),
    },
  },
  {
    name: 'a lock file',
    prepare: file('it.lock', ''),
    read: async (path) => {
      await (await acquireLock(path, { waitMs: 0, purpose: 'testing' })).release();
    },
    cells: {
      absent: 'works',
      denied: /lock file ".*" is not one of this program's|Cannot/,
      full: none('see the lock among the files that are written'),
      'short write': /is not one of this program's/,
      damaged: /is not one of this program's/,
      huge: none('whoever reads it looks at what the program wrote'),
      hostile: none('as damaged'),
      late: none('as damaged'),
      repeated: none('one file is one lock'),
      reordered: none('keys have no order'),
    },
  },
];

describeReads('a file that is read', READS);

// ------------------------------------------------------------------------------------------- files that are written

interface WriteEdge {
  readonly name: string;
  /** The file below the folder, or the folder itself, that a fault befalls. */
  readonly path: string;
  /** The name under which the bytes first reach the disk. */
  readonly temporary?: string;
  readonly write: (path: string) => unknown;
  readonly cells: Row;
}

const folderNeeded = /file stands where a folder is needed|ENOTDIR|EEXIST/;
const cannotMake = /Cannot (make the folder|write) ".*".*ENOENT/;
const full = /Cannot write ".*" \(ENOSPC\)/;
const replaced = {
  absent: 'works',
  denied: folderNeeded,
  full,
  'short write': none('the disk is made to take a part in tests/data/fetch-command.test.ts (ulimit -f)'),
  damaged: 'works',
  huge: none('what is written is made here'),
  hostile: /a device stands there/,
  late: /a device stands there/,
  repeated: 'works',
  reordered: none('one write at a time'),
} as const satisfies Row;

const WRITES: readonly WriteEdge[] = [
  {
    name: 'data export to CSV',
    path: 'out/candles.csv',
    temporary: 'out/candles.csv.tmp',
    write: (path) => exportCandles(path, candles),
    cells: replaced,
  },
  {
    name: 'data export to gzip',
    path: 'out/candles.csv.gz',
    temporary: 'out/candles.csv.gz.tmp',
    write: (path) => exportCandles(path, candles),
    cells: replaced,
  },
  {
    name: 'data export to parquet',
    path: 'out/candles.parquet',
    temporary: 'out/candles.parquet.tmp',
    write: (path) => exportCandles(path, candles),
    cells: replaced,
  },
  {
    name: 'a report, a model, an equity curve',
    path: 'out/report.html',
    temporary: 'out/report.html.tmp',
    write: (path) => writeFileAtomic(path, '<html></html>'),
    cells: replaced,
  },
  {
    name: 'the journal of a training',
    path: 'logs/training/run.jsonl',
    write: (path) =>
      openJournal(dirname(dirname(path)), 'run', () => undefined).write({
        kind: 'model-started',
        model: 'ridge',
        phase: 'classical',
      }),
    cells: {
      ...replaced,
      damaged: 'works',
      hostile: none('as full: it is written to what stands there'),
      late: none('a pipe is written when somebody reads it, as a user may want'),
    },
  },
  {
    name: 'a lock',
    path: 'locks/it.lock',
    write: async (path) => {
      await (await acquireLock(path, { waitMs: 0, purpose: 'testing' })).release();
    },
    cells: {
      ...replaced,
      full: none('its own name ends in the number of the process: the disk is filled in the store above'),
      damaged: none('see the same file among those that are read'),
      hostile: none('see the same file among those that are read'),
      late: none('see the same file among those that are read'),
    },
  },
];

function obstruct(fault: Fault, folder: string, edge: WriteEdge): string {
  const path = join(folder, edge.path);
  if (fault === 'absent') return path;
  const parent = dirname(path);
  if (fault === 'denied') {
    writeFileSync(join(folder, edge.path.split('/')[0]), 'a file');
    return path;
  }
  mkdirSync(parent, { recursive: true });
  if (fault === 'full') symlinkSync('/dev/full', join(folder, edge.temporary ?? edge.path));
  if (fault === 'damaged') writeFileSync(path, 'half a fi');
  if (fault === 'hostile') symlinkSync('/dev/null', path);
  if (fault === 'late') execFileSync('mkfifo', [path]);
  return path;
}

describe('a file that is written', () => {
  it.each(cellsOf(WRITES))('$edge.name, $fault: $cell', async ({ edge, fault, cell }) => {
    const folder = temporaryFolder();
    const path = obstruct(fault, folder, edge);
    await check(cell, () => edge.write(path));
    if (fault === 'repeated') await check(cell, () => edge.write(path));
    if (cell instanceof RegExp && edge.temporary !== undefined)
      expect(existsSync(join(folder, edge.temporary)), 'no partial file is left').toBe(false);
  });

  it.each(WRITES)('$name, in a folder that nobody can make: a sentence, and at once', async ({ write }) => {
    await check(cannotMake, () => write('/proc/nope/x/candles.csv'));
  });

  it('the store, in the place of a file: its full disk is in tests/data/fetch-command.test.ts', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'data'), 'a file');
    await check(folderNeeded, () => storedDataset(folder));
  });
});

describe('the log is never worth more than the work', () => {
  const open = async (directory: string) => {
    const told: string[] = [];
    const log = await createLog({
      directory,
      rotation: { fileMb: 10, files: 6 },
      fileLevel: 'info',
      terminalLevel: 'error',
      colour: false,
      redact: (text) => text,
      onUnwritable: ({ message }) => told.push(message),
    });
    return { log, told };
  };

  it.each([
    [
      'denied',
      (folder: string) => writeFileSync(join(folder, 'logs'), ''),
      /file stands where a folder is needed/,
    ],
    [
      'full',
      (folder: string) => {
        mkdirSync(join(folder, 'logs'));
        symlinkSync('/dev/full', join(folder, 'logs', 'crypto-trader.1.log'));
      },
      /no file stands there/,
    ],
    [
      'late',
      (folder: string) => {
        mkdirSync(join(folder, 'logs'));
        execFileSync('mkfifo', [join(folder, 'logs', 'crypto-trader.1.log')]);
      },
      /no file stands there/,
    ],
  ])('%s: it is said once, and the program goes on', async (_, prepare, message) => {
    const folder = temporaryFolder();
    prepare(folder);
    const { log, told } = await open(join(folder, 'logs'));
    for (let line = 0; line < 3; line++) log.info({}, 'a line');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(message);
  });

  it('a folder below /proc is not tried for ever', async () => {
    expect((await open('/proc/nope')).told[0]).toContain('Cannot make the folder "/proc/nope"');
  });

  it('hostile text stays escaped in the file', async () => {
    const folder = temporaryFolder();
    const { log } = await open(folder);
    log.info({}, 'a\u001b[2J\u009b31m\u202eb');
    const text = readFileSync(join(folder, 'crypto-trader.1.log'), 'utf8');
    expect(text).toContain('a\\u001b[2J\\u009b31m\\u202eb');
  });
});

// -------------------------------------------------------------------------------------------------- the environment

const { settings } = loadConfig({ file: '/absent', fileRequired: false, environment: {}, flags: {} });
const withVariable = (path: string, text: string) =>
  loadConfig({
    file: '/absent',
    fileRequired: false,
    environment: { [environmentName(path)]: text },
    flags: {},
  });
/** Settings for which any text is right. */
const FREE = new Set([
  'dataDir',
  'checkpointDir',
  'tuningDir',
  'logDir',
  'plugins',
  'text.gdelt.query',
  'text.x.query',
]);

describe('a variable', () => {
  describe.each(settings)('$path', ({ path, value }) => {
    it.each(['', '   '])('absent, as %j: the default', (text) => {
      expect(withVariable(path, text).settings.find((setting) => setting.path === path)?.value).toEqual(
        value,
      );
    });

    it.each([
      ['damaged', '@%'],
      ['hostile', '\u001b]0;x\u0007\u202e[1'],
      ['huge', 'x'.repeat(100_000)],
    ])('%s: an error that names it and shows little', async (_, text) => {
      if (FREE.has(path) && !text.includes('\u001b')) return;
      const message = await outcome(() => withVariable(path, text));
      expect(message).toContain(environmentName(path));
      expect(message.length).toBeLessThan(600);
      expect(message).not.toMatch(/[\u001b\u0007\u202e]/);
    });
  });
});

// ----------------------------------------------------------------------------------------------------- the terminal

describe('the terminal', () => {
  const shell = (redirect: string): number => {
    const bin = join(import.meta.dirname, '../../bin/crypto-trader.js');
    try {
      execFileSync('bash', ['-c', `"${process.execPath}" "${bin}" config show ${redirect}`], {
        cwd: temporaryFolder(),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      return 0;
    } catch (error) {
      const { status } = error as { status: number };
      return status;
    }
  };

  it('full behind ">": exit 1', () => expect(shell('> /dev/full')).toBe(1));
  it('full behind "2>": the messages are lost, the work is not', () => expect(shell('2> /dev/full')).toBe(0));
  it('absent: closed before the start', () => expect(shell('>&-')).toBe(0));

  it('a folder in place of the log, and the work: said once on stderr, exit 0', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'logs'), '');
    const { status, stdout, stderr } = await runCli(['data', 'list', '--json'], { cwd });
    expect({ status, datasets: JSON.parse(stdout) as unknown }).toMatchObject({
      status: 0,
      datasets: { datasets: [] },
    });
    expect(stderr.match(/Continuing without a log file/g)).toHaveLength(1);
  });

  it('a folder of runs that is a file: exit 1 with its path and the setting that names it', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'checkpoints'), '');
    const { status, stderr } = await runCli(['signals'], { cwd });
    expect(status).toBe(1);
    expect(stderr).toMatch(/"checkpoints".*file stands where a folder is needed/);
    expect(stderr).toContain('The folder is set by checkpointDir.');
    expect(stderr).not.toContain('bug');
  });
});
