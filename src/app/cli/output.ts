import { MultiBar } from 'cli-progress';
import { duration } from '../../core/foundation/duration.ts';
import { plainLine, plainText } from '../../core/foundation/plain-text.ts';
import { jsonText } from './json-text.ts';
import { type Column, tableText } from './table.ts';
import { screenWidth, wrapped, wrappedPieces } from './wrap.ts';

/** The only thing that prints results. Human text and the JSON document never mix on stdout. */
export interface Output {
  readonly json: boolean;
  /** Human text on stdout, broken between words where the screen ends; silent under --json. */
  print(text?: string): void;
  /** Text that is printed as it is: a picture drawn for a terminal, a document; silent under --json. */
  frame(text: string): void;
  /** Text that comes in pieces of whole words, broken where the screen ends, without a line break of its own; silent under --json. */
  piece(text: string): void;
  /** A line for people that is no result: on stderr, under --json too. */
  notice(text: string): void;
  /** A table for people; silent under --json. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** The one JSON document of --json, printed when the command ends; silent otherwise. */
  document(value: object): void;
  /** Prints the document, with the error that the command ended by, or that error alone. */
  end(error?: object): void;
  /** Bars on a terminal, plain lines otherwise, always on stderr; of what is `passing` nothing stays on a terminal when it stops. */
  progress(options?: { readonly passing?: boolean }): Progress;
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
  /** Columns of the screen that results are shown on; `undefined`: not known, or as wide as need be. */
  readonly width: number | undefined;
  readonly redact: (text: string) => string;
}

export function createOutput(settings: OutputSettings): Output {
  const human = (text: string): void => {
    if (!settings.json) process.stdout.write(`${settings.redact(text)}\n`);
  };
  const flowing = wrappedPieces(settings.width);
  let held: object | undefined;
  return {
    json: settings.json,
    print: (text = '') => human(wrapped(settings.redact(plainText(text)), settings.width)),
    frame: human,
    piece: (text) => {
      if (!settings.json) process.stdout.write(settings.redact(flowing(plainText(text))));
    },
    notice: (text) =>
      void process.stderr.write(
        `${wrapped(settings.redact(plainText(text)), screenWidth(process.stderr))}\n`,
      ),
    table(columns, rows) {
      if (settings.json) return;
      human(
        tableText(
          columns,
          rows.map((row) => row.map(plainText)),
          settings,
        ),
      );
    },
    document: (value) => void (held = value),
    end(error) {
      const whole = error === undefined ? held : { ...held, error };
      if (settings.json && whole !== undefined) process.stdout.write(`${settings.redact(jsonText(whole))}\n`);
    },
    progress: ({ passing = false } = {}) =>
      process.stderr.isTTY && !settings.json ? bars(passing) : lines(),
  };
}

function bars(passing: boolean): Progress {
  const multi = new MultiBar({
    format: (_, { value, total }, payload: BarPayload) =>
      progressLine({ ...payload, done: value, total }, screenWidth(process.stderr) ?? 80),
    hideCursor: true,
    clearOnComplete: passing,
    stream: process.stderr,
  });
  return {
    task(label, work) {
      const total = Math.ceil(work);
      const about = { label: plainLine(label), notes: [] };
      const bar = multi.create(total, 0, about satisfies BarPayload);
      const annotate = withEta(total);
      return {
        update: (done, ...rest) =>
          bar.update(whole(done, work), { ...about, notes: annotate(whole(done, work), ...rest) }),
      };
    },
    stop: () => multi.stop(),
  };
}

interface BarPayload {
  readonly label: string;
  /** What else there is to say, the most important first. */
  readonly notes: readonly string[];
}

const BAR_CELLS = 20;

/** Label, bar, share and count, and as many notes as fit whole: half a number is none. */
export function progressLine(
  { label, notes, done, total }: BarPayload & { readonly done: number; readonly total: number },
  width: number,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const cells = width < 60 ? 0 : BAR_CELLS;
  const filled = Math.round(share * cells);
  const percent = `${Math.floor(100 * share)} %`;
  if (width < 40) return `${label.slice(0, Math.max(0, width - 7))} ${percent}`;
  const parts = [
    label.padEnd(18),
    ...(cells === 0 ? [] : ['█'.repeat(filled) + '░'.repeat(cells - filled)]),
    percent.padStart(5),
    `${done}/${total}`,
  ];
  let line = parts.join(' ');
  notes.forEach((note, i) => {
    const longer = `${line}${i === 0 ? '  ' : ', '}${note}`;
    // The last column stays free: some terminals go to the next line when it is written.
    if (longer.length < width) line = longer;
  });
  return line;
}

/** Work is counted in bars, of which the last one asked for may be a part: it counts when it is there. */
const whole = (done: number, work: number): number => (done >= work ? Math.ceil(work) : Math.floor(done));

/** Before the end how long the rest will take, where a narrow terminal still shows it, then the parts of the note. */
function withEta(total: number): (done: number, note?: string, etaSeconds?: number) => readonly string[] {
  const startedAt = Date.now();
  return (done, note, etaSeconds) => {
    const seconds = etaSeconds ?? ((Date.now() - startedAt) * (total - done)) / done / 1000;
    const parts = done > 0 && done < total ? [`ETA ${duration(seconds)}`] : [];
    return note ? [...parts, ...plainLine(note).split(', ')] : parts;
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
          const note = annotate(done, ...about).join(', ');
          process.stderr.write(
            `${plainLine(label)}: ${done}/${total} (${percent} %) ${note}`.trimEnd() + '\n',
          );
        },
      };
    },
    stop() {},
  };
}
