import { extname } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { writeFileAtomic } from '../../data/files.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { equityCsv } from '../../lab/backtest/equity-file.ts';
import type { ReportExtras } from './backtest-report.ts';

/** What a report may be, by the ending of its file. */
const REPORT_ENDINGS = ['.html', '.md', '.json', '.csv', '.parquet'] as const;
type Ending = (typeof REPORT_ENDINGS)[number];

/** Throws `UserError` for an ending that no report has. */
export function reportEnding(file: string): Ending {
  const ending = extname(file).toLowerCase();
  const known = REPORT_ENDINGS.find((one) => one === (ending === '.htm' ? '.html' : ending));
  if (known !== undefined) return known;
  throw new UserError(`A report cannot be "${file}": its ending says nothing.`, {
    hint: `End it with one of ${REPORT_ENDINGS.join(', ')}: a page, a text, the document, or bars with every equity curve.`,
  });
}

/**
 * Writes a backtest as its file's ending says: a page, a text for people, the whole document, or bars with every equity curve
 * as CSV or Parquet. Replaces the file in one step.
 */
export async function writeReport(
  file: string,
  result: Backtest,
  about: Provenance,
  extras: ReportExtras & { readonly document: object },
): Promise<void> {
  switch (reportEnding(file)) {
    case '.html': {
      const { renderReport } = await import('./backtest-report.ts');
      return writeFileAtomic(file, renderReport(result, about, extras));
    }
    case '.md': {
      const { renderMarkdown } = await import('./markdown.ts');
      return writeFileAtomic(file, renderMarkdown(result, about));
    }
    case '.json':
      return writeFileAtomic(file, `${JSON.stringify(extras.document, undefined, 2)}\n`);
    case '.csv':
      return writeFileAtomic(file, equityCsv(result));
    case '.parquet': {
      const { encodeColumns } = await import('../../data/store/parquet.ts');
      return writeFileAtomic(file, encodeColumns(equityColumns(result)));
    }
  }
}

function equityColumns({
  market,
  ensemble,
  members,
  benchmark,
}: Backtest): Readonly<Record<string, Float64Array>> {
  const curves = [ensemble, ...members, benchmark];
  return {
    time: market.time,
    ...Object.fromEntries(curves.map(({ strategy, run }) => [strategy.name, run.equity])),
    exposure: ensemble.run.exposure,
  };
}
