import Table from 'cli-table3';
import { MultiBar, Presets } from 'cli-progress';
import { duration } from '../../core/foundation/duration.ts';
import { plainLine, plainText } from '../../core/foundation/plain-text.ts';
import { jsonText } from './json-text.ts';

/** The only thing that prints results. Human text and the JSON document never mix on stdout. */
export interface Output {
  readonly json: boolean;
  /** Human text on stdout; silent under --json. */
  print(text?: string): void;
  /** A picture that was drawn for a terminal, with its colours; silent under --json. */
  frame(text: string): void;
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
    print: (text = '') => human(plainText(text)),
    frame: human,
    notice: (text) => void process.stderr.write(`${settings.redact(plainText(text))}\n`),
    table(head, rows) {
      if (settings.json) return;
      const colours = settings.colour ? { head: ['cyan'], border: ['gray'] } : { head: [], border: [] };
      const style = { ...colours, compact: true, 'padding-left': 0, 'padding-right': 0 };
      const table = new Table({
        head: [...head],
        style,
        chars: OPEN_BORDERS,
        colAligns: alignments(head, rows),
      });
      for (const row of rows) table.push(row.map(plainText));
      human(table.toString().split('\n').map(withoutTrailingSpaces).join('\n'));
    },
    document(value) {
      if (settings.json) process.stdout.write(`${settings.redact(jsonText(value))}\n`);
    },
    progress: () => (process.stderr.isTTY && !settings.json ? bars() : lines()),
  };
}

/** In one step from the end: a pattern for it looks at every run of spaces within the line again from each of them. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end--;
  return line.slice(0, end);
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
    task(label, work) {
      const total = Math.ceil(work);
      const bar = multi.create(total, 0, { label: plainLine(label).padEnd(18), note: '' });
      const annotate = withEta(total);
      return {
        update: (done, ...about) =>
          bar.update(whole(done, work), { note: annotate(whole(done, work), ...about) }),
      };
    },
    stop: () => multi.stop(),
  };
}

/** Work is counted in bars, of which the last one asked for may be a part: it counts when it is there. */
const whole = (done: number, work: number): number => (done >= work ? Math.ceil(work) : Math.floor(done));

/** Before the end how long the rest will take, where a narrow terminal still shows it, then the note. */
function withEta(total: number): (done: number, note?: string, etaSeconds?: number) => string {
  const startedAt = Date.now();
  return (done, note, etaSeconds) => {
    const seconds = etaSeconds ?? ((Date.now() - startedAt) * (total - done)) / done / 1000;
    const parts = done > 0 && done < total ? [`ETA ${duration(seconds)}`] : [];
    return (note ? [...parts, plainLine(note)] : parts).join(', ');
  };
}

const LINE_EVERY_MS = 5_000;

function lines(): Progress {
  return {
    task(label, work) {
      let printedAt = Date.now();
      const total = Math.ceil(work);
      const annotate = withEta(total);
      return {
        update(part, ...about) {
          const now = Date.now();
          const done = whole(part, work);
          if (done < total && now - printedAt < LINE_EVERY_MS) return;
          printedAt = now;
          const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
          const note = annotate(done, ...about);
          process.stderr.write(
            `${plainLine(label)}: ${done}/${total} (${percent} %) ${note}`.trimEnd() + '\n',
          );
        },
      };
    },
    stop() {},
  };
}
