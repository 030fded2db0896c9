import Table from 'cli-table3';
import { MultiBar, Presets } from 'cli-progress';
import { duration } from '../../core/foundation/duration.ts';

/** The only thing that prints results. Human text and the JSON document never mix on stdout. */
export interface Output {
  readonly json: boolean;
  /** Human text on stdout; silent under --json. */
  print(text?: string): void;
  /** A line for people that is no result: on stderr, under --json too. */
  notice(text: string): void;
  /** A table for people; silent under --json. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The one JSON document of --json; silent otherwise. */
  document(value: unknown): void;
  /** Bars on a terminal, plain lines otherwise, always on stderr. */
  progress(): Progress;
}

export interface Progress {
  task(label: string, total: number): ProgressTask;
  stop(): void;
}

export interface ProgressTask {
  /** `etaSeconds` where the work knows better than elapsed time and share done. */
  update(done: number, note?: string, etaSeconds?: number): void;
}

export interface OutputSettings {
  readonly json: boolean;
  readonly colour: boolean;
  readonly redact: (text: string) => string;
}

export function createOutput(settings: OutputSettings): Output {
  const human = (text: string): void => {
    if (!settings.json) process.stdout.write(`${settings.redact(text)}\n`);
  };
  return {
    json: settings.json,
    print: (text = '') => human(text),
    notice: (text) => void process.stderr.write(`${settings.redact(text)}\n`),
    table(head, rows) {
      const colours = settings.colour ? { head: ['cyan'], border: ['gray'] } : { head: [], border: [] };
      const style = { ...colours, compact: true, 'padding-left': 0, 'padding-right': 0 };
      const table = new Table({
        head: [...head],
        style,
        chars: OPEN_BORDERS,
        colAligns: alignments(head, rows),
      });
      for (const row of rows) table.push([...row]);
      human(table.toString().replace(/ +$/gm, ''));
    },
    document(value) {
      if (settings.json) process.stdout.write(`${settings.redact(JSON.stringify(value, undefined, 2))}\n`);
    },
    progress: () => (process.stderr.isTTY && !settings.json ? bars() : lines()),
  };
}

/** Columns of numbers stand to the right. */
const alignments = (head: readonly string[], rows: readonly (readonly string[])[]): ('left' | 'right')[] =>
  head.map((_, column) =>
    rows.every((row) => /^([-+]?[\d.,]+( ?\S{1,3})?|-|)$/.test(row[column] ?? '')) ? 'right' : 'left',
  );

const OPEN_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  right: '',
  'right-mid': '',
  mid: '─',
  'mid-mid': '──',
  middle: '  ',
};

function bars(): Progress {
  const multi = new MultiBar(
    {
      format: '{label} {bar} {percentage}% | {value}/{total} | {note}',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      autopadding: true,
    },
    Presets.shades_classic,
  );
  return {
    task(label, total) {
      const bar = multi.create(total, 0, { label: label.padEnd(18), note: '' });
      const annotate = withEta(total);
      return { update: (done, ...about) => bar.update(done, { note: annotate(done, ...about) }) };
    },
    stop: () => multi.stop(),
  };
}

/** Before the end how long the rest will take, where a narrow terminal still shows it, then the note. */
function withEta(total: number): (done: number, note?: string, etaSeconds?: number) => string {
  const startedAt = Date.now();
  return (done, note, etaSeconds) => {
    const seconds = etaSeconds ?? ((Date.now() - startedAt) * (total - done)) / done / 1000;
    const parts = done > 0 && done < total ? [`ETA ${duration(seconds)}`] : [];
    return (note ? [...parts, note] : parts).join(', ');
  };
}

const LINE_EVERY_MS = 5_000;

function lines(): Progress {
  return {
    task(label, total) {
      let printedAt = Date.now();
      const annotate = withEta(total);
      return {
        update(done, ...about) {
          const now = Date.now();
          if (done < total && now - printedAt < LINE_EVERY_MS) return;
          printedAt = now;
          const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
          const note = annotate(done, ...about);
          process.stderr.write(`${label}: ${done}/${total} (${percent} %) ${note}`.trimEnd() + '\n');
        },
      };
    },
    stop() {},
  };
}
