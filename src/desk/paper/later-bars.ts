import { stat } from 'node:fs/promises';
import { readLines } from '../../data/journal/lines.ts';
import { ledgerFile, parseLine, readSession } from './ledger.ts';
import { BarRecord } from './record.ts';

/** Some hundred bars of a few pairs. */
const FIRST_LOOK_BYTES = 1 << 18;

/**
 * The bars on record behind `afterMs`, oldest first, read from the end of the ledger: a year before them costs nothing. Their
 * place in the chain is not checked here.
 */
export async function barsAfter(folder: string, afterMs: number): Promise<readonly BarRecord[]> {
  const found = await readSession(folder);
  if (found === undefined) return [];
  const { path } = ledgerFile(folder);
  const { size } = await stat(path);
  for (let length = FIRST_LOOK_BYTES; ; length *= 4) {
    const from = Math.max(found.start.offset, size - length);
    const isWhole = from === found.start.offset;
    // Reading begins somewhere inside a line.
    let isCut = !isWhole;
    let reachesBack = isWhole;
    const bars: BarRecord[] = [];
    await readLines(path, from, (line, end) => {
      if (isCut) {
        isCut = false;
        return 'go-on';
      }
      const bar = parseLine(line, `the line before byte ${end} of "${path}"`, BarRecord);
      if (bar.timeMs > afterMs) bars.push(bar);
      else reachesBack = true;
      return 'go-on';
    });
    if (reachesBack) return bars;
  }
}
