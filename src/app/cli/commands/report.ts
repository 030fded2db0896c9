import { formatDay } from '../../../core/foundation/time.ts';
import { join } from 'node:path';
import type { Command } from 'commander';
import { openStore } from '../../../data/store/store.ts';
import { configuredInstruments, spotRules } from '../../config/execution.ts';
import { CLAIMS, reference, type ReferenceLine } from '../../workflows/reference.ts';
import { WINDOWS } from '../../workflows/results.ts';
import { command, type CommandContext } from '../command.ts';
import { prose } from '../table.ts';

const EXAMPLES = `
Examples:
  $ crypto-trader report reference
  $ crypto-trader report reference --json

The candles must be stored: an error says what to fetch. Trees are refitted through the window, short positions allowed.`;

export function register(program: Command): void {
  const group = program
    .command('report')
    .description('published figures beside ours, on the same window and pairs')
    .addHelpText('after', EXAMPLES);
  group
    .command('reference')
    .description('what of the reference system reproduces, and what does not')
    .action(command(async (context) => showReference(context)));
}

async function showReference({ config, out, seed, signal }: CommandContext): Promise<void> {
  const [window] = WINDOWS;
  const made = await reference({
    store: openStore(config.dataDir),
    window,
    sources: config.features,
    validationPct: config.training.validationPct,
    rules: { ...spotRules(config, window.symbols.length, 'report reference'), allowShort: true },
    instruments: configuredInstruments(config.trading, window.symbols),
    trialsFile: join(config.dataDir, 'trials.jsonl'),
    seed,
    signal,
    onStep: (text) => out.notice(text),
  });
  const label = made.synthetic ? ' (SYNTHETIC)' : '';
  out.print(
    `${window.exchange}${label} ${window.symbols.join(', ')}, ${window.timeframe}, ${formatDay(window.sinceMs)} to ${formatDay(window.untilMs - 1)}, data ${made.dataFingerprint.slice(0, 12)}, seed ${seed}\n`,
  );
  out.table(
    ['figure', 'published', 'ours', 'reproduces', prose('how')],
    made.lines.map((one) => {
      const { figure, published } = claimOf(one);
      return [figure, published, oursText(one), one.reproduces ? 'yes' : 'no', one.way];
    }),
  );
  out.print(`\nTop features of the trees by gain: ${made.topFeatures.slice(0, 5).join(', ')}.`);
  out.print(`Sharpe ratio of buy and hold over the tested bars: ${figure(made.buyAndHoldSharpe)}.\n`);
  for (const text of conclusions(made.lines)) out.print(text);
  out.document({
    ...made,
    claims: CLAIMS,
    lines: made.lines.map((one) => ({ ...one, ours: one.ours ?? null })),
    buyAndHoldSharpe: made.buyAndHoldSharpe ?? null,
    conclusions: conclusions(made.lines),
  });
}

/** Claim by claim: in how many of the ways that the published text leaves open it comes out, and between which figures. */
function conclusions(lines: readonly ReferenceLine[]): readonly string[] {
  const counted = CLAIMS.map(({ id, figure: name, published }) => {
    const ways = lines.filter(({ claim }) => claim === id);
    const same = ways.filter(({ reproduces }) => reproduces);
    const found = ways.flatMap(({ ours }) => ours ?? []);
    const span =
      found.length < 2 ? figure(found[0]) : `${figure(Math.min(...found))} .. ${figure(Math.max(...found))}`;
    const verdict =
      same.length === 0
        ? 'does not reproduce'
        : same.length === ways.length
          ? 'reproduces'
          : `reproduces in ${same.length} of ${ways.length} ways (${same.map(({ way }) => way).join('; ')})`;
    return `${name} ${verdict}: published ${published}, ours ${span}.`;
  });
  return [
    ...counted,
    'Why figures differ: the published ones rest on Yahoo candles and do not say order, logs and lags of the cointegration test, the pair of the GARCH model, or the bars and costs behind accuracy and Sharpe ratio; ours are of bars that the trees had not seen. A figure that depends on such a choice shows the choice, not the market.',
  ];
}

const claimOf = ({ claim }: ReferenceLine) => CLAIMS.find(({ id }) => id === claim) ?? CLAIMS[0];

function oursText({ ours, interval95 }: ReferenceLine): string {
  const [low, high] = interval95 ?? [];
  return low === undefined ? figure(ours) : `${figure(ours)} (${figure(low)} .. ${figure(high)})`;
}

function figure(value: number | undefined): string {
  if (value === undefined) return 'none';
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 1000) return value.toFixed(0);
  return Math.abs(value) >= 1 ? value.toFixed(2) : value.toFixed(4);
}
