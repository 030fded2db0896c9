/** Works through the block's next `rows` rows: reads its inputs from where they stand and writes its outputs. */
export type Update = (rows: number) => void;

/** Numbers that stay between blocks: everything a column remembers beside the past values of its inputs. */
export type Memory = (length: number) => Float64Array;

/**
 * One value a bar, computed block by block. `data[at + i]` is the value of the block's row i and
 * `data[at + i - k]`, for k up to what `keep` asked for, that of k bars before; `NaN` before the first bar.
 */
export class Column {
  data: Float64Array = new Float64Array(0);
  at = 0;
  /** Values before the block that somebody looks back at. */
  depth = 0;
  readonly plan: Plan;
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
}

/**
 * Columns in the order in which they are computed. A column that was asked for before is the same column, so
 * features share what they have in common, and nothing is computed that nobody asked for.
 */
export class Plan {
  private readonly columns: Column[] = [];
  private readonly known = new Map<string, readonly Column[]>();
  private readonly updates: Update[] = [];
  private readonly memories: Float64Array[] = [];
  private past: readonly Column[] = [];
  private whole: readonly { readonly column: Column; readonly array: Float64Array }[] = [];
  private rowsBefore = 0;
  private row = 0;

  /** A column that the caller fills before each block. */
  source(): Column {
    const column = new Column(this, this.columns.length);
    this.columns.push(column);
    return column;
  }

  /** `width` columns that one pass over `inputs` writes; the same ones for the same `key` and inputs. */
  derive(
    key: string,
    inputs: readonly Column[],
    width: number,
    make: (outs: readonly Column[], memory: Memory) => Update,
  ): readonly Column[] {
    const name = `${key}:${inputs.map(({ id }) => id).join(',')}`;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    const outs = Array.from({ length: width }, () => this.source());
    const memory: Memory = (length) => {
      const numbers = new Float64Array(length);
      this.memories.push(numbers);
      return numbers;
    };
    this.updates.push(make(outs, memory));
    this.known.set(name, outs);
    return outs;
  }

  /**
   * Makes room for blocks of at most `capacity` rows. `whole` are the arrays of all rows, past and to come, of
   * columns that have one: sources stand in theirs, the others are written there.
   */
  begin(capacity: number, whole: ReadonlyMap<Column, Float64Array> = new Map()): void {
    for (const column of this.columns) {
      const { depth } = column;
      const alone = depth === 0 ? (whole.get(column) ?? new Float64Array(capacity)) : undefined;
      column.data = alone ?? new Float64Array(2 * depth + capacity).fill(NaN);
      column.at = depth;
    }
    this.whole = [...whole].map(([column, array]) => ({ column, array }));
    this.past = this.columns.filter((column) => column.depth > 0 && !whole.has(column));
    this.rowsBefore = this.row = 0;
  }

  /** Moves every column on to a block of `rows` rows; sources can be filled then. */
  advance(rows: number): void {
    for (const column of this.past) this.move(column, rows);
    for (const { column, array } of this.whole) {
      // Until the array has all that is looked back at, the column stands in a copy with unknown values before.
      if (this.row + this.rowsBefore >= column.depth) {
        column.data = array;
        column.at = this.row + this.rowsBefore;
      } else this.move(column, rows);
    }
    this.row += this.rowsBefore;
    this.rowsBefore = rows;
  }

  private move(column: Column, rows: number): void {
    column.at += this.rowsBefore;
    if (column.at + rows <= column.data.length || column.depth === 0) return;
    column.data.copyWithin(0, column.at - column.depth, column.at);
    column.at = column.depth;
  }

  compute(rows: number): void {
    for (const update of this.updates) update(rows);
  }

  /** Everything the columns remember after the last block, for `restore` of a plan of the same columns. */
  state(): Float64Array {
    const parts = [...this.memories];
    for (const { data, at, depth } of this.columns)
      if (depth > 0) parts.push(data.slice(at + this.rowsBefore - depth, at + this.rowsBefore));
    const state = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
    let from = 0;
    for (const part of parts) {
      state.set(part, from);
      from += part.length;
    }
    return state;
  }

  /** Goes on where another plan of the same columns stood. Whether the lengths agree. */
  restore(state: Float64Array): boolean {
    const deep = this.columns.filter(({ depth }) => depth > 0);
    const lengths = [...this.memories.map(({ length }) => length), ...deep.map(({ depth }) => depth)];
    if (lengths.reduce((sum, length) => sum + length, 0) !== state.length) return false;
    let from = 0;
    for (const memory of this.memories) {
      memory.set(state.subarray(from, from + memory.length));
      from += memory.length;
    }
    for (const column of deep) {
      column.data.set(state.subarray(from, from + column.depth));
      column.at = column.depth;
      from += column.depth;
    }
    this.rowsBefore = this.row = 0;
    return true;
  }
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
