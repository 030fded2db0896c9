/** Entries of a list that are shown. */
const MOST = 5;

/**
 * What a model learned as indented lines: numbers to five digits, short records and lists on one line. `--json` has
 * everything as it is.
 */
export const reportText = (report: Readonly<Record<string, unknown>>): string =>
  recordLines(report, '  ').join('\n');

/** A value on one line: a long list by its first entries and its length. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const shown = value.slice(0, MOST).map(valueText).join(', ');
    return value.length > MOST ? `${shown}, ... (${value.length})` : shown || 'none';
  }
  if (!isRecord(value)) return JSON.stringify(value) ?? '-';
  const entries = Object.entries(value);
  return entries.length === 0 ? 'none' : entries.map(([name, one]) => `${name} ${valueText(one)}`).join(', ');
}

function recordLines(record: Readonly<Record<string, unknown>>, indent: string): string[] {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  const room = Math.max(0, ...entries.filter(([, value]) => fits(value)).map(([name]) => name.length));
  return entries.flatMap(([name, value]) => {
    if (fits(value)) return [`${indent}${name.padEnd(room)}  ${valueText(value)}`];
    const inner = Array.isArray(value)
      ? value.flatMap((one) =>
          isRecord(one) ? itemLines(one, `${indent}  `) : [`${indent}  - ${valueText(one)}`],
        )
      : isRecord(value)
        ? recordLines(value, `${indent}  `)
        : [];
    return [`${indent}${name}`, ...inner];
  });
}

/** A record of a list: a dash before its first line. */
function itemLines(record: Readonly<Record<string, unknown>>, indent: string): string[] {
  const [first = '', ...rest] = recordLines(record, `${indent}  `);
  return [`${indent}- ${first.trimStart()}`, ...rest];
}

/** Whether a value goes on one line: no list of records, nothing nested twice, not too long. */
function fits(value: unknown): boolean {
  if (Array.isArray(value)) return !value.some(isRecord);
  return !isRecord(value) || (!Object.values(value).some(isRecord) && valueText(value).length <= 60);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const numberText = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
