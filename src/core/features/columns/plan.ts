import { startKernel } from './kernel.ts';

/** Works through the block's next `rows` rows: reads its inputs from where they stand and writes its outputs. */
export type Update = (rows: number) => void;

/** Numbers that stay between blocks: everything a column remembers beside the past values of its inputs. */
export type Memory = (length: number) => Float64Array;

/**
 * One value a bar, computed block by block. `data[at + i]` is the value of the block's row i and
 * `data[at + i - k]`, for k up to what `keep` asked for, that of k bars before; `NaN` before the first bar.
 */
export class Column {
  /** Values before the block that somebody looks back at. */
  depth = 0;
  readonly plan: Plan;
  /** Which column of its plan it is. */
  readonly id: number;

  constructor(plan: Plan, id: number) {
    this.plan = plan;
    this.id = id;
  }

  /** This column, which from now on remembers its last `depth` values. */
  keep(depth: number): this {
    this.depth = Math.max(this.depth, depth);
    return this;
  }

  /** All columns of a plan stand in one array. */
  get data(): Float64Array {
    return this.plan.data;
  }

  get at(): number {
    return this.plan.placeOf(this);
  }
}

/** A formula of kernels/features.ts and what it is told beside its columns. */
interface Formula {
  readonly name: string;
  /** At most four. */
  readonly parameters: readonly number[];
  readonly memory: Remembered;
}

interface Remembered {
  numbers: Float64Array;
}

/** One pass over `inputs` that writes `outs`. */
interface Step {
  readonly inputs: readonly Column[];
  readonly outs: readonly Column[];
  readonly pass: Formula | Update;
}

/* As kernels/features/columns.ts and kernels/features.ts read them. */
const WHOLE_WORD = 8;
const MEMORY_WORD = 12;
const FIRST_COLUMN_WORD = 13;
const RECORD_WORDS = 4;

/**
 * Columns in the order in which they are computed. A column that was asked for before is the same column, so
 * features share what they have in common, and nothing is computed that nobody asked for.
 *
 * Most formulas are compiled (kernels/features.ts). They and those that are written here work in one memory, which
 * `begin` lays out: where each column stands, what formulas remember, their arguments and the order in which they run.
 */
export class Plan {
  data = new Float64Array(0);
  private readonly columns: Column[] = [];
  private readonly known = new Map<string, readonly Column[]>();
  private readonly steps: Step[] = [];
  private readonly memories: Remembered[] = [];
  private passes: readonly Update[] = [];
  /** A column's record begins with the byte at which the block's first row stands. */
  private records = new Uint32Array(0);
  private recordOf = new Uint32Array(0);
  private moveOn: (before: number, rows: number) => void = () => undefined;
  private rowsBefore = 0;

  /** A column that the caller fills before each block. */
  source(): Column {
    const column = new Column(this, this.columns.length);
    this.columns.push(column);
    return column;
  }

  /**
   * `width` columns that one pass of a compiled formula over `inputs` writes; the same ones for the same arguments.
   * `memory` is what it remembers before the first bar.
   */
  formula(
    name: string,
    inputs: readonly Column[],
    width: number,
    parameters: readonly number[] = [],
    memory: readonly number[] = [],
  ): readonly Column[] {
    return this.add(`${name} ${parameters.join(' ')}`, inputs, width, () => ({
      name,
      parameters,
      memory: this.remember(Float64Array.from(memory)),
    }));
  }

  /** `width` columns that one pass over `inputs` writes; the same ones for the same `key` and inputs. */
  derive(
    key: string,
    inputs: readonly Column[],
    width: number,
    make: (outs: readonly Column[], memory: Memory) => Update,
  ): readonly Column[] {
    const memory: Memory = (length) => this.remember(new Float64Array(length)).numbers;
    return this.add(key, inputs, width, (outs) => make(outs, memory));
  }

  private add(
    key: string,
    inputs: readonly Column[],
    width: number,
    make: (outs: readonly Column[]) => Formula | Update,
  ): readonly Column[] {
    const name = `${key}:${inputs.map(({ id }) => id).join(',')}`;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    const outs = Array.from({ length: width }, () => this.source());
    this.steps.push({ inputs, outs, pass: make(outs) });
    this.known.set(name, outs);
    return outs;
  }

  private remember(numbers: Float64Array): Remembered {
    const memory = { numbers };
    this.memories.push(memory);
    return memory;
  }

  /**
   * Makes room for blocks of at most `capacity` rows, after each of which the caller reads `results`; told back, and
   * as many as stay in the nearest caches unless given.
   */
  begin(results: readonly Column[], given?: number): number {
    const homes = this.homesOf(results);
    const capacity = given ?? rowsThatFit(new Set(homes).size);
    const kernel = startKernel();
    let end = kernel.firstFree;
    const room = (bytes: number): number => {
      const at = end;
      end += 16 * Math.ceil(bytes / 16);
      return at;
    };
    const deep = this.columns.filter(({ depth }) => depth > 0);
    const inOrder = [...deep, ...this.columns.filter(({ depth }) => depth === 0)];
    const records = room(16 * inOrder.length);
    const program = room(8 * this.steps.length);
    const formulas = this.steps.map(({ pass, inputs, outs }) =>
      typeof pass === 'function'
        ? undefined
        : {
            ...pass,
            at: room(4 * (FIRST_COLUMN_WORD + inputs.length + outs.length)),
            memoryAt: room(8 * pass.memory.numbers.length),
            columns: [...inputs, ...outs],
          },
    );
    const rooms = new Map<number, number>();
    for (const { id, depth } of inOrder)
      // Formulas that take two rows at once write a row more than asked for.
      if (!rooms.has(homes[id])) rooms.set(homes[id], room(8 * (2 * depth + capacity + 2)));

    const { buffer } = kernel.reserve(end);
    const data = (this.data = new Float64Array(buffer));
    const words = new Uint32Array(buffer);
    this.records = words.subarray(records / 4, records / 4 + RECORD_WORDS * inOrder.length);
    this.recordOf = new Uint32Array(inOrder.length);
    for (const [k, { id, depth }] of inOrder.entries()) {
      const at = rooms.get(homes[id]) ?? NaN;
      this.recordOf[id] = RECORD_WORDS * k;
      const limit = at + 8 * (2 * depth + capacity);
      this.records.set([at + 8 * depth, at, 8 * depth, limit], RECORD_WORDS * k);
      data.fill(NaN, at / 8, at / 8 + depth);
    }
    this.moveOn = (before, rows) => kernel.advance(records, deep.length, before, rows);

    const passes: Update[] = [];
    let first = 0;
    const flush = (to: number): void => {
      const [from, count] = [program + 8 * first, to - first];
      if (count > 0) passes.push((rows) => kernel.compute(from, count, rows));
      first = to + 1;
    };
    for (const [k, { pass }] of this.steps.entries()) {
      const formula = formulas[k];
      if (typeof pass === 'function' || formula === undefined) {
        flush(k);
        if (typeof pass === 'function') passes.push(pass);
        continue;
      }
      const { name, parameters, memory, at, memoryAt, columns } = formula;
      data.set(parameters, at / 8);
      words.set(parameters.map(Math.trunc), at / 4 + WHOLE_WORD);
      words[at / 4 + MEMORY_WORD] = memoryAt;
      words.set(
        columns.map(({ id }) => records + 4 * this.recordOf[id]),
        at / 4 + FIRST_COLUMN_WORD,
      );
      words.set([kernel.indexOf(name), at], program / 4 + 2 * k);
      const numbers = data.subarray(memoryAt / 8, memoryAt / 8 + memory.numbers.length);
      numbers.set(memory.numbers);
      memory.numbers = numbers;
    }
    flush(this.steps.length);
    this.passes = passes;
    this.rowsBefore = 0;
    return capacity;
  }

  /**
   * The number of each column's home. Those that nobody looks back at or reads afterwards share homes: one that was
   * read for the last time leaves its own to the next, so that few are at work at a time and stay in the nearest cache.
   */
  private homesOf(results: readonly Column[]): readonly number[] {
    const alone = new Set([...results, ...this.columns.filter(({ depth }) => depth > 0)]);
    const lastRead = new Map<Column, Step>();
    for (const step of this.steps)
      for (const column of [...step.outs, ...step.inputs]) if (!alone.has(column)) lastRead.set(column, step);
    const homes = new Array<number>(this.columns.length).fill(NaN);
    let count = 0;
    const left: number[] = [];
    const written = new Set(this.steps.flatMap(({ outs }) => outs));
    for (const column of this.columns)
      if (alone.has(column) || !written.has(column)) homes[column.id] = count++;
    for (const step of this.steps) {
      for (const { id } of step.outs) if (Number.isNaN(homes[id])) homes[id] = left.pop() ?? count++;
      for (const column of new Set([...step.inputs, ...step.outs]))
        if (lastRead.get(column) === step) left.push(homes[column.id]);
    }
    return homes;
  }

  /** Whether a step reads the column, or somebody looks back at it. */
  reads(column: Column): boolean {
    return column.depth > 0 || this.steps.some(({ inputs }) => inputs.includes(column));
  }

  placeOf({ id }: Column): number {
    return this.records[this.recordOf[id]] >>> 3;
  }

  /** Moves every column on to a block of `rows` rows; sources can be filled then. */
  advance(rows: number): void {
    this.moveOn(this.rowsBefore, rows);
    this.rowsBefore = rows;
  }

  compute(rows: number): void {
    for (const pass of this.passes) pass(rows);
  }

  /** Everything the columns remember after the last block, for `restore` of a plan of the same columns. */
  state(): Float64Array {
    const parts = this.remembered(this.rowsBefore);
    const state = new Float64Array(lengthOf(parts));
    let from = 0;
    for (const part of parts) {
      state.set(part, from);
      from += part.length;
    }
    return state;
  }

  /** Goes on where another plan of the same columns stood. Whether the lengths agree. */
  restore(state: Float64Array): boolean {
    this.moveOn(this.rowsBefore, 0);
    this.rowsBefore = 0;
    const parts = this.remembered(0);
    if (lengthOf(parts) !== state.length) return false;
    let from = 0;
    for (const part of parts) {
      part.set(state.subarray(from, from + part.length));
      from += part.length;
    }
    return true;
  }

  /** What is remembered, where it stands once the block has `rows` rows. */
  private remembered(rows: number): readonly Float64Array[] {
    const past = this.columns
      .filter(({ depth }) => depth > 0)
      .map(({ at, depth }) => this.data.subarray(at + rows - depth, at + rows));
    return [...this.memories.map(({ numbers }) => numbers), ...past];
  }
}

/** Rows of `homes` columns beside each other that fit into half a megabyte, the second cache of most processors. */
const rowsThatFit = (homes: number): number =>
  Math.min(4096, Math.max(128, 2 ** Math.floor(Math.log2(65_536 / homes))));

const lengthOf = (parts: readonly Float64Array[]): number =>
  parts.reduce((length, part) => length + part.length, 0);

/** One column that one pass of a compiled formula over `inputs` writes. */
export function compute(
  name: string,
  inputs: readonly [Column, ...Column[]],
  parameters?: readonly number[],
  memory?: readonly number[],
): Column {
  return inputs[0].plan.formula(name, inputs, 1, parameters, memory)[0];
}

/** One column that one pass over `inputs` writes. */
export function derive(
  key: string,
  inputs: readonly [Column, ...Column[]],
  make: (out: Column, memory: Memory) => Update,
): Column {
  const [column] = inputs[0].plan.derive(key, inputs, 1, ([out], memory) => make(out, memory));
  return column;
}

/** `count` zeros, what most formulas remember at first. */
export const zeros = (count: number): readonly number[] => new Array<number>(count).fill(0);
