import { EVENT_ID, type Event, getScalarValue, loadAll, parseEvents, YAMLException } from 'js-yaml';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';

export interface YamlDocument {
  readonly value: unknown;
  /** Line (from 1) of the key or list entry at `path`, or of its nearest parent that stands in the file. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** Reads a YAML file and remembers on which line each key stands. */
export function parseYaml(source: string, fileName: string): YamlDocument {
  try {
    // An empty file, or one of comments alone, holds no document: nothing is set.
    const [value, ...more] = loadAll(source, { filename: fileName, ...LIMITS });
    if (more.length > 0) {
      throw new UserError(`${fileName} holds ${more.length + 1} YAML documents, expected one.`, {
        hint: 'Remove the lines "---" between them, or all documents but one.',
      });
    }
    requireBounded(value, fileName);
    const lines = keyLines(source, parseEvents(source, { filename: fileName, ...LIMITS }));
    return {
      value,
      lineOf(path) {
        for (let length = path.length; length > 0; length--) {
          const line = lines.get(pathKey(path.slice(0, length)));
          if (line !== undefined) return line;
        }
        return 1;
      },
    };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark ? `:${error.mark.line + 1}` : '';
    throw new UserError(`${fileName}${line}: not valid YAML: ${error.reason}.`, {
      hint:
        error.mark?.snippet
          ?.split('\n')
          .map((line) => plainLine(line))
          .join('\n') ?? 'Correct the file, or remove it to use the defaults.',
      cause: error,
    });
  }
}

/** Far above what settings need, far below what hurts. */
const LIMITS = { maxDepth: 20, maxAliases: 100 };
const MOST_VALUES = 100_000;

/** An alias can stand for a list of aliases, and for what it is part of: a few lines can mean more than a memory holds. */
function requireBounded(document: unknown, fileName: string): void {
  let values = 0;
  const above = new Set<unknown>();
  const visit = (value: unknown): void => {
    values++;
    if (values > MOST_VALUES) throw unbounded(`more than ${MOST_VALUES} values`);
    if (typeof value !== 'object' || value === null) return;
    if (above.has(value)) throw unbounded('an alias that stands for what it is part of');
    above.add(value);
    for (const child of Object.values(value)) visit(child);
    above.delete(value);
  };
  const unbounded = (found: string): UserError =>
    new UserError(`${fileName} holds ${found}.`, {
      hint: 'Write the values out instead of naming an alias (*).',
    });
  visit(document);
}

type Frame = { kind: 'map'; key: string | undefined } | { kind: 'list'; index: number };

/** Walks the parser's events once; every key and list entry gets the line it starts on. */
function keyLines(source: string, events: readonly Event[]): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const stack: Frame[] = [];
  const path = (): PropertyKey[] =>
    stack.map((frame) => (frame.kind === 'map' ? (frame.key ?? '') : frame.index));
  // Events come in the order of the text, so their lines are counted once from front to back.
  const counted = { offset: 0, line: 1 };
  const lineAt = (offset: number): number => {
    for (; counted.offset < offset; counted.offset++) if (source[counted.offset] === '\n') counted.line++;
    return counted.line;
  };
  /** A complete value was read: the enclosing map waits for its next key, the list for its next entry. */
  const close = (): void => {
    const top = stack.at(-1);
    if (top?.kind === 'map') top.key = undefined;
    else if (top) top.index++;
  };
  for (const event of events) {
    const top = stack.at(-1);
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        break;
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE:
        if (top?.kind === 'list') lines.set(pathKey(path()), lineAt(event.start));
        stack.push(
          event.type === EVENT_ID.MAPPING ? { kind: 'map', key: undefined } : { kind: 'list', index: 0 },
        );
        break;
      case EVENT_ID.SCALAR:
        if (top?.kind === 'map' && top.key === undefined) {
          top.key = getScalarValue(source, event);
          lines.set(pathKey(path()), lineAt(event.valueStart));
        } else {
          if (top?.kind === 'list') lines.set(pathKey(path()), lineAt(event.valueStart));
          close();
        }
        break;
      case EVENT_ID.ALIAS:
        close();
        break;
      case EVENT_ID.POP:
        stack.pop();
        close();
        break;
    }
  }
  return lines;
}

const pathKey = (path: readonly PropertyKey[]): string => JSON.stringify(path.map(String));
