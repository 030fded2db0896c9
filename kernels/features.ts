/**
 * Formulas over columns, in AssemblyScript: a block of rows in, a block of rows out. `npm run kernels` compiles them into
 * src/core/features/columns/kernel-code.ts. Every operation is one that IEEE 754 rounds, in a fixed order, so every
 * machine and every length of block gives the same bits.
 */
export * from './features/arithmetic';
export * from './features/candlesticks';
export * from './features/formulas';
export * from './features/indicators';
export * from './features/profile';
export * from './features/swings';
export * from './features/windows';

/** Bytes of a column's record: where the block's first row stands, the room's beginning, how far back it remembers, its end. */
const RECORD_BYTES: usize = 16;

/** Works through `count` formulas of `program`: index in the table and address of the arguments. */
export function compute(program: usize, count: i32, rows: i32): void {
  for (let k = 0; k < count; k++) {
    call_indirect(load<u32>(program), <usize>load<u32>(program, 4), rows);
    program += 8;
  }
}

/** Moves `count` columns that are looked back at on by `before` rows, to where `rows` rows have room. */
export function advance(records: usize, count: i32, before: i32, rows: i32): void {
  for (let k = 0; k < count; k++) {
    const room = <usize>load<u32>(records, 4);
    const depth = <usize>load<u32>(records, 8);
    let at = <usize>load<u32>(records) + (<usize>before << 3);
    if (at + (<usize>rows << 3) > <usize>load<u32>(records, 12)) {
      memory.copy(room, at - depth, depth);
      at = room + depth;
    }
    store<u32>(records, <u32>at);
    records += RECORD_BYTES;
  }
}
