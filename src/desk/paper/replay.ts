import { isDeepStrictEqual } from 'node:util';
import { parseEntry } from '../../data/journal/entry.ts';
import { damaged, type JournalEntry } from '../../data/journal/journal.ts';
import type { Account } from './account.ts';
import { ledgerFile, parseBar } from './ledger.ts';
import { BarRecord } from './record.ts';
import { advanceAccount } from './step.ts';

/** Puts the entries of a ledger through an account again and demands what is on record of each. */
interface Replay {
  /** Throws `UserError` when the bar gives other events, cash, equity or positions than those on record. */
  readonly see: (entry: JournalEntry) => void;
  bars(): number;
  /** The last bar, whole. */
  last(): BarRecord | undefined;
}

/** What the account needs of a bar. The rest of the record is compared as it stands, or not needed. */
const Inputs = BarRecord.pick({ timeMs: true, candles: true, decision: true, targets: true }).strip();

export function createReplay(folder: string, account: Account): Replay {
  const file = ledgerFile(folder);
  const textOf = createTexts();
  let latest: JournalEntry | undefined;
  let bars = 0;
  return {
    see: (entry) => {
      const { json, where } = entry;
      const outcome = json.indexOf(OUTCOME);
      const inputs = parseEntry(file, { json: inputsOf(json, outcome), where }, Inputs);
      const again = advanceAccount(account, inputs, inputs);
      // The same numbers are the same text; only a difference is worth the time to read the record as a whole.
      if (!json.startsWith(outcomeText(again, textOf), outcome))
        assertSame(parseBar(folder, entry), again, folder, entry);
      latest = entry;
      bars++;
    },
    bars: () => bars,
    last: () => latest && parseBar(folder, latest),
  };
}

/**
 * Of a record's JSON the part that says what went into the account: most of it is what came out and what every model
 * said. A JSON string cannot contain these marks, whose quotes would be escaped in it.
 */
function inputsOf(json: string, outcome: number): string {
  if (outcome < 0) return json;
  const decision = json.indexOf(',"decision":', outcome);
  const models = json.indexOf(',"models":', decision);
  return decision < 0 || models < 0 ? json : `${json.slice(0, outcome)}${json.slice(decision, models)}}`;
}

const OUTCOME = ',"events":';

/** The text of a number, kept by place: most of a bar's numbers are those of the bar before. */
type TextOf = (place: number, value: number | undefined) => string;

function createTexts(): TextOf {
  const values: number[] = [];
  const texts: string[] = [];
  return (place, value) => {
    if (value === undefined) return 'null';
    if (values[place] !== value) {
      values[place] = value;
      texts[place] = String(value);
    }
    return texts[place];
  };
}

/** As `encodeLink` writes it, where `undefined` is null. Put together by hand: this is most of what a replay costs. */
function outcomeText(
  { events, cash, equity, positions, verdicts }: ReturnType<typeof advanceAccount>,
  textOf: TextOf,
): string {
  let held = '';
  let place = 1;
  for (const { symbol, baseAmount, entryPrice, markPrice, stopPrice, takePrice } of positions)
    held += `${held === '' ? '' : ','}{"symbol":"${symbol}","baseAmount":${textOf(place++, baseAmount)},"entryPrice":${textOf(place++, entryPrice)},"markPrice":${markPrice},"stopPrice":${textOf(place++, stopPrice)},"takePrice":${textOf(place++, takePrice)}}`;
  const happened = events.length === 0 ? '[]' : JSON.stringify(events);
  const judged = verdicts?.map((one) => ({ ...one, allowed: one.allowed ?? null }));
  const refused = judged === undefined ? '' : `,"verdicts":${JSON.stringify(judged)}`;
  return `${OUTCOME}${happened},"cash":${textOf(0, cash)},"equity":${equity},"positions":[${held}]${refused}`;
}

function assertSame(
  record: BarRecord,
  again: ReturnType<typeof advanceAccount>,
  folder: string,
  { where }: JournalEntry,
): void {
  for (const field of ['events', 'cash', 'equity', 'positions', 'verdicts'] as const) {
    if (!isDeepStrictEqual(again[field], record[field]))
      throw damaged(ledgerFile(folder), where, `replaying the bar gives other ${field} than those on record`);
  }
}
