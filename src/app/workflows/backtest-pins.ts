import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { syncFolder, writeDurably } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';

/**
 * A pinned backtest stays however many come after it, and may be called by a name. It is a file in the backtest's folder; one that
 * cannot be read still pins, so that nothing is lost by it.
 */
export type Pins = ReadonlyMap<string, string | undefined>;

const Pin = z.object({ name: z.string().optional() });
const NAME = /^[a-z][a-z0-9-]{0,40}$/;
const MOST_BYTES = 4096;

const pinPath = (folder: string, id: string): string => join(folder, id, 'pin.json');

/** Which of these backtests are pinned, with their names. */
export async function pinsOf(folder: string, ids: readonly string[]): Promise<Pins> {
  const pins = new Map<string, string | undefined>();
  for (const id of ids) {
    const bytes = await readPlainFile(pinPath(folder, id), MOST_BYTES);
    if (bytes !== undefined) pins.set(id, nameIn(new TextDecoder().decode(bytes)));
  }
  return pins;
}

function nameIn(text: string): string | undefined {
  try {
    return Pin.parse(JSON.parse(text)).name;
  } catch {
    return undefined;
  }
}

/** Throws `UserError` for a name that is not one, or that another backtest has. */
export async function pin(folder: string, id: string, name: string | undefined, pins: Pins): Promise<void> {
  if (name !== undefined && !NAME.test(name))
    throw new UserError(`"${name}" is no name for a backtest.`, {
      hint: 'Use small letters, digits and dashes, a letter first: spring-2026.',
    });
  const taken = [...pins].find(([other, known]) => known === name && name !== undefined && other !== id);
  if (taken !== undefined)
    throw new UserError(`The backtest ${taken[0]} is called "${name}" already.`, {
      hint: `Free the name: crypto-trader backtest unpin ${name}`,
    });
  await writeDurably(pinPath(folder, id), `${JSON.stringify({ name })}\n`);
  await syncFolder(join(folder, id));
}

export const unpin = (folder: string, id: string): Promise<void> => rm(pinPath(folder, id), { force: true });
