import type { Command } from 'commander';
import { z } from 'zod';
import { issueLines } from '../../../core/foundation/plain-issues.ts';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { jsonIn } from '../../../data/json.ts';
import { readPlainFile } from '../../../data/plain-file.ts';
import { evidenceOf } from '../../report/evidence.ts';
import { differences, resultDifferences } from '../../workflows/backtest-differences.ts';
import { documentOf } from '../backtest-document.ts';
import { requestOf } from '../backtest-request.ts';
import { command, type CommandContext } from '../command.ts';
import { differenceLines } from '../kept-text.ts';
import { projectRegistry } from '../project-plugins.ts';
import { runBacktest } from '../run-backtest.ts';

/** No report comes near this. */
const MOST_BYTES = 256 * 2 ** 20;

/** What `evidence.ts` puts into a report, as far as it takes to make the result again. */
const Evidence = z.object({
  format: z.literal('crypto-trader evidence'),
  version: z.literal(1),
  document: z.looseObject({
    id: z.string(),
    settings: z.unknown(),
    trials: z.object({ count: z.number(), effective: z.number(), barSharpes: z.array(z.number()) }),
    dataFingerprint: z.string(),
    program: z.looseObject({ codeSha256: z.string() }),
  }),
  trades: z.record(z.string(), z.array(z.unknown())),
});
type Evidence = z.output<typeof Evidence>;

const EXAMPLES = `
Examples:
  $ crypto-trader backtest --report report.html
  $ crypto-trader verify report.html

Run it in a project that has the candles, and the training run, of the report. It makes the result again from the
settings in the report; exit code 3 when a digit differs, with the first of them.`;

export function register(program: Command): void {
  program
    .command('verify')
    .argument('<report>', 'a report that `backtest --report` wrote')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, _, file = '') => verify(context, file)));
}

async function verify(context: CommandContext, file: string): Promise<void> {
  const { out } = context;
  const { document, trades } = await readEvidence(file);
  const request = requestFrom(file, document.settings);
  const finished = await runBacktest({ ...context, registry: await projectRegistry(context) }, request, {
    trials: document.trials,
  });
  const now = documentOf(finished, { id: document.id, timeMs: Date.now(), equityCurve: '' });
  const again = Evidence.parse(JSON.parse(JSON.stringify(evidenceOf(finished.result, finished.about, now))));
  const found = [
    ...resultDifferences(document, again.document),
    ...differences(trades, again.trades, 'trades'),
  ];
  out.document({ report: file, id: document.id, identical: found.length === 0, differences: found });
  if (found.length === 0) {
    const { market, ensemble } = finished.result;
    out.print(
      `${file} holds: every digit is the same again. ${market.time.length} bars, ${ensemble.run.trades.length} trades, data ${document.dataFingerprint.slice(0, 12)}.`,
    );
    return;
  }
  for (const line of differenceLines(found, 10)) out.print(line);
  // The document says what differs: a second one, of the error, would make the output no JSON.
  if (out.json) process.exitCode = 3;
  else throw new CheckFailed(`${file} does not come out the same. ${whyNot(document, again.document)}`);
}

async function readEvidence(file: string): Promise<Evidence> {
  const bytes = await readPlainFile(file, MOST_BYTES);
  if (bytes === undefined)
    throw new UserError(`There is no file "${file}".`, {
      hint: 'Name a report that `backtest --report` wrote.',
    });
  const text = new TextDecoder().decode(bytes);
  const open = '<script type="application/json" id="evidence">';
  const from = text.indexOf(open);
  const until = text.indexOf('</script>', from);
  const parsed =
    from < 0 || until < 0 ? undefined : Evidence.safeParse(jsonIn(text.slice(from + open.length, until)));
  if (parsed?.success === true) return parsed.data;
  throw new UserError(
    `"${file}" carries no evidence that can be verified${parsed === undefined ? '' : `: ${issueLines(parsed.error).join('; ')}`}.`,
    { hint: 'Write the report again: crypto-trader backtest --report report.html' },
  );
}

function requestFrom(file: string, settings: unknown) {
  const parsed = z.record(z.string(), z.unknown()).safeParse(settings);
  try {
    return requestOf(parsed.data ?? {});
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new UserError(`The settings in "${file}" are of another version: ${issueLines(error).join('; ')}`, {
      hint: 'Write the report again: crypto-trader backtest --report report.html',
    });
  }
}

function whyNot(before: Evidence['document'], again: Evidence['document']): string {
  if (before.dataFingerprint !== again.dataFingerprint)
    return 'The candles here are not those of the report.';
  if (differences(before['weights'], again['weights']).length > 0)
    return 'The models here have other weights.';
  return before.program.codeSha256 === again.program.codeSha256
    ? 'Data, models and program are the same: the report was changed, or this is a bug.'
    : 'The program has changed since.';
}
