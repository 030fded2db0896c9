import { type Command, Option } from 'commander';
import { RULES_OF } from '../../../core/trading/presets.ts';
import { z } from 'zod';
import type { Backtest } from '../../../lab/backtest/backtest.ts';
import { asConvention, countReasons, type Provenance } from '../../../lab/backtest/document.ts';
import { showCrossValidation } from '../backtest-cpcv.ts';
import { FOLD_HEAD, foldRow } from '../../../lab/backtest/folds.ts';
import { SEED_HEAD, seedRow } from '../../../lab/backtest/seeds.ts';
import {
  CONVENTION_NAMES,
  CONVENTION_TEXTS,
  type ConventionName,
} from '../../../core/evaluation/conventions.ts';
import {
  COVERAGE_HEAD,
  coverageRows,
  FORECAST_HEAD,
  forecastLines,
  forecastRow,
} from '../../../lab/backtest/forecast-text.ts';
import { moneyUnit } from '../../../lab/backtest/money.ts';
import { BREAKDOWN_HEAD, breakdownLines, breakdownRows } from '../../../lab/backtest/breakdown-text.ts';
import { benchmarkText } from '../../../lab/backtest/benchmarks.ts';
import { SLEEVE_HEAD, type SleeveRequest, sleeveRows } from '../../../lab/backtest/sleeves.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { STRATEGY_HEAD, strategyRow } from '../../../lab/backtest/strategy-text.ts';
import { outcomeLines, trialsText, verdicts } from '../../../lab/backtest/verdicts.ts';
import { formatMinute, parseTime, parseUntil } from '../../../core/foundation/time.ts';
import { ENSEMBLE_HELP, ensembleSetting, STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';
import { EDGE_HEAD, edgeRows } from '../edge-table.ts';
import { bandText, detailText } from '../intrabar.ts';
import { costWords, entryWords } from '../../report/cost-words.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { command, type CommandContext, decimal, integer, list, oneOf, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  marketSettings,
  requireRange,
  RUN_OPTION,
  runNamed,
  untrainedText,
  wantedMarket,
} from '../run-options.ts';
import type { RiskRules } from '../../../core/trading/risk/rules.ts';
import { counted } from '../dataset-document.ts';
import { backtestConclusion } from '../conclusions.ts';
import type { Output } from '../output.ts';
import { projectRegistry } from '../project-plugins.ts';
import { keepFinished } from '../backtest-document.ts';
import { addKeptCommands } from './backtest-kept.ts';
import type { BacktestRequest } from '../backtest-request.ts';
import { printCurves } from '../curve-lines.ts';
import { requireReport, writeReport } from '../backtest-report-file.ts';
import type { KeptAudit } from '../../workflows/kept-audits.ts';
import { runBacktest } from '../run-backtest.ts';
import { addQueueOptions, givenQueue, QUEUE_OPTIONS } from '../queue-options.ts';
import { less } from '../table.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  ...QUEUE_OPTIONS,
  workers: z.string().default('0'),
  from: z.string().transform(parseTime).optional(),
  to: z.string().transform(parseUntil).optional(),
  models: z.string().transform(list).optional(),
  feeBps: z.string().optional(),
  slippageBps: z.string().optional(),
  walkForward: z.boolean().default(false),
  folds: z.string().default('5'),
  embargoBars: z.string().default('24'),
  window: z.string().default('expanding'),
  cold: z.boolean().default(false),
  cpcv: z.boolean().default(false),
  paths: z.string().default('5'),
  trainPct: z.string().default('60'),
  seeds: z.boolean().default(false),
  convention: z.enum(CONVENTION_NAMES).optional(),
  rulesOf: z.enum(RULES_OF).optional(),
  strategy: z.string().optional(),
  ensemble: z.string().optional(),
  sleeves: z.string().transform(list).optional(),
  report: z.string().optional(),
  detail: z.string().transform(parseTimeframe).optional(),
  intrabarBand: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader backtest                                   the active run on bars it never saw
  $ crypto-trader backtest --run btc-only --symbols BTC/USDT --since 2026-01-01
  $ crypto-trader backtest --strategy own                    each model by its own rule, whatever trading costs
  $ crypto-trader backtest --report report.html
  $ crypto-trader backtest --models boosted-trees --fee-bps 5 --slippage-bps 2
  $ crypto-trader backtest --seeds                           mean and deviation over the seeds of \`train --seeds 8\`
  $ crypto-trader backtest --walk-forward --folds 8 --json   refit before every fold, no trained set needed
  $ crypto-trader backtest --walk-forward --models all --folds 12 --window rolling
  $ crypto-trader backtest --walk-forward --models all --queue redis://10.0.0.5:6379 --listen 10.0.0.5:4100   folds on other machines
  $ crypto-trader backtest --cpcv --models ridge,boosted-trees
  $ crypto-trader backtest diff                              the two newest: settings, figures, trades
  $ crypto-trader backtest rerun --report report.html        the newest again, every digit compared

Every backtest is kept: see the subcommands. Without --since it starts where validation ended: everything before has been seen by training.`;

export function register(program: Command): void {
  const backtests = program.command('backtest');
  addRunOption(backtests);
  addMarketOptions(backtests, ['exchange', 'symbols', 'timeframe', 'since', 'until'], {
    symbols: 'only these pairs of the run',
    since: 'first bar (UTC; default: the first bar that training has not seen)',
    until: 'up to the end of this date, or before this time (UTC; default: the last bar)',
  })
    .addOption(new Option('--from <date>', 'the same as --since').hideHelp())
    .addOption(new Option('--to <date>', 'the same as --until').hideHelp())
    .option(
      '--models <list>',
      'only these models, such as boosted-trees,momentum-garch; with --walk-forward also `all`, networks and agents too',
    )
    .option('--fee-bps <number>', 'fee per side, in basis points')
    .option(
      '--slippage-bps <number>',
      'a fixed slippage per side, in basis points, instead of the modelled one',
    )
    .option('--walk-forward', 'refit the models before every fold instead of using the trained set')
    .option('--folds <count>', 'folds of --walk-forward', '5')
    .option('--embargo-bars <count>', 'bars left free between training and fold', '24')
    .option(
      '--window <kind>',
      'what each fold is trained on: expanding (all bars before it) or rolling (as many as the first)',
      'expanding',
    )
    .option('--cold', 'train the networks of every fold from new weights, not from those of the fold before')
    .option(
      '--cpcv',
      'combinatorial purged cross-validation: a distribution of Sharpe ratios, not one number',
    )
    .option('--paths <count>', 'paths of --cpcv, about', '5')
    .option('--train-pct <share>', 'share of the bars that each fit of --cpcv is trained on, about', '60')
    .option('--seeds', 'also trade what the models learned from the other seeds of `train --seeds`')
    .addOption(
      new Option('--rules-of <system>', 'fill orders as another system does, for comparison').choices(
        RULES_OF,
      ),
    )
    .addOption(
      new Option('--convention <system>', 'also show the figures as another system computes them').choices(
        CONVENTION_NAMES,
      ),
    )
    .option('--strategy <id>', STRATEGY_HELP)
    .option('--ensemble <id>', ENSEMBLE_HELP)
    .option(
      '--sleeves <list>',
      'strategies that share one wallet, with who earned what: ridge:cost-aware=60,trend:own=40',
    )
    .option('--detail <timeframe>', 'look for stops and targets inside the bars, in stored candles this fine')
    .option('--intrabar-band', 'the interval of the profit over the paths that prices may take inside a bar')
    .option(
      '--report <file>',
      'write a report: .html (one page), .md, .json (the document), .csv or .parquet (equity by bar)',
    );
  addQueueOptions(backtests, 'folds of --walk-forward')
    .option('--workers <count>', 'with --queue: workers that are started on this machine', '0')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => run(context, Options.parse(options))));
  addKeptCommands(backtests);
}

async function run(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, seed } = context;
  requireRange(rangeOf(options));
  if (options.walkForward && runNamed(options) !== undefined)
    throw new UsageError('--run is about a trained set: it cannot be given with --walk-forward.');
  if (options.walkForward && options.cpcv)
    throw new UsageError('--walk-forward and --cpcv are two ways to fit: give one of them.');
  if (!options.walkForward) {
    refuseIgnored(context, ['--folds', '--window', '--cold', '--queue'], 'without --walk-forward');
    if (!options.cpcv) refuseIgnored(context, ['--embargo-bars'], 'without --walk-forward');
  }
  if (!options.cpcv) refuseIgnored(context, ['--paths', '--train-pct'], 'without --cpcv');
  else
    refuseIgnored(
      context,
      [
        '--run',
        '--strategy',
        '--sleeves',
        '--seeds',
        '--report',
        '--detail',
        '--intrabar-band',
        '--rules-of',
        '--convention',
      ],
      'with --cpcv',
    );
  if (options.walkForward && options.seeds)
    throw new UsageError('--seeds is about a trained set: it cannot be given with --walk-forward.');
  if (options.report !== undefined) await requireReport(options.report);
  const costs = { least: 0, most: 1000 };
  const trading = {
    ...config.trading,
    ...(options.feeBps !== undefined && {
      feeBps: decimal('--fee-bps', options.feeBps, costs),
      feeTiers: undefined,
    }),
    ...(options.slippageBps !== undefined && {
      slippageBps: decimal('--slippage-bps', options.slippageBps, costs),
    }),
  };
  const registry = await projectRegistry(context);
  if (options.cpcv)
    return showCrossValidation(context, {
      registry,
      ...marketSettings(context, options),
      sinceMs: rangeOf(options).since ?? config.market.since,
      untilMs: rangeOf(options).until,
      models: options.models,
      paths: integer('--paths', options.paths, { least: 2 }),
      trainPct: decimal('--train-pct', options.trainPct, { least: 10, most: 95 }),
      embargoBars: integer('--embargo-bars', options.embargoBars, { least: 0 }),
      trading,
    });
  const { strategy, params } = strategySetting(context, options.strategy, registry);
  const { method, params: weighing } = ensembleSetting(context, options.ensemble);
  const queue = await givenQueue(context, options);
  const finished = await runBacktest(
    { ...context, registry, queue },
    {
      forecasts: forecastRequest(context, options),
      fromMs: rangeOf(options).since,
      untilMs: rangeOf(options).until,
      models: options.models,
      acceptImplausible: config.market.acceptImplausible,
      strategy: strategy.id,
      strategyParams: z.record(z.string(), z.unknown()).parse(params),
      ensemble: method.id,
      ensembleParams: z.record(z.string(), z.unknown()).parse(weighing),
      sleeves: sleevesOf(context, options, registry),
      rulesOf: options.rulesOf,
      trading,
      derivatives: config.features.derivatives,
      exits: config.exits,
      risk: config.risk,
      detail: options.detail,
      cashRatePct: config.backtest.cashRatePct,
      seed,
    },
  );
  const { source, result, about, edges, detail } = finished;
  const document = await keepFinished(context, finished, Date.now());
  if (options.report !== undefined) {
    await writeReport(options.report, finished, document);
  }
  const { id } = document;
  const { totalReturnPct } = result.ensemble.metrics;
  log.info({ id, trainedBy: source.trainedBy, ...source.range, totalReturnPct }, 'backtest');
  for (const warning of source.warnings) log.info({}, warning);
  if (source.untrained.length > 0) out.print(untrainedText(source.trainedBy, source.untrained));
  print(out, result, about, { id, report: options.report, convention: options.convention });
  if (detail !== undefined) out.print(detailText(detail, result.market));
  if (options.intrabarBand) out.print(bandText(result));
  if (finished.sleeves !== undefined) {
    out.print(
      `\nWho earned what of the wallet that the sleeves share, ${moneyUnit(result.setting.rules)}:\n`,
    );
    out.table(SLEEVE_HEAD, sleeveRows(finished.sleeves, result.setting.rules.initialBalance));
  }
  if (strategy.restsOnSkill) out.table(EDGE_HEAD, edgeRows(edges));
  const idle = benchmarkText(result);
  if (idle !== '') out.print(idle);
  if (finished.audit !== undefined) out.print(auditText(finished.audit));
  const named = runNamed(options);
  const look = {
    report: options.report,
    run: named === undefined ? '' : ` --run ${named}`,
    restsOnSkill: strategy.restsOnSkill,
  };
  out.print(backtestConclusion(result, about, look));
  out.document({ ...document, ...(options.report !== undefined && { report: options.report }) });
}

/** `ridge:cost-aware=60`: a model or `ensemble`, the strategy that decides on it, and its share of the wallet in percent. */
function sleevesOf(
  context: CommandContext,
  { sleeves: texts = [], strategy: otherwise }: Options,
  registry: Registry,
): readonly SleeveRequest[] {
  const sleeves = texts.map((text): SleeveRequest => {
    const [, model, named, share] = /^([a-z0-9-]+)(?::([a-z0-9-]+))?=([0-9.]+)$/.exec(text) ?? [];
    if (model === undefined)
      throw new UsageError(
        `--sleeves cannot read "${text}"; write model:strategy=percent, such as ridge:own=60.`,
      );
    const { strategy, params } = strategySetting(context, named ?? otherwise, registry);
    return {
      model,
      strategy: strategy.id,
      strategyParams: z.record(z.string(), z.unknown()).parse(params),
      sharePct: decimal('--sleeves', share, { least: 0.1, most: 100 }),
    };
  });
  const total = sleeves.reduce((sum, { sharePct }) => sum + sharePct, 0);
  if (total > 100 + 1e-9) throw new UsageError(`--sleeves add up to ${total} %: they share one wallet.`);
  return sleeves;
}

/** `--from` and `--to` are what `--since` and `--until` were called here. */
function rangeOf({ since, until, from, to }: Options): {
  since: number | undefined;
  until: number | undefined;
} {
  if ((since ?? from) !== (from ?? since)) throw new UsageError('--since and --from are the same option.');
  if ((until ?? to) !== (to ?? until)) throw new UsageError('--until and --to are the same option.');
  return { since: since ?? from, until: until ?? to };
}

function forecastRequest(context: CommandContext, options: Options): BacktestRequest['forecasts'] {
  const { config } = context;
  if (!options.walkForward) {
    const market = wantedMarket(context, options);
    return { kind: 'trained', run: runNamed(options), market, seeds: options.seeds };
  }
  return {
    kind: 'walk-forward',
    ...marketSettings(context, options),
    sinceMs: config.market.since,
    folds: integer('--folds', options.folds, { least: 1 }),
    window: oneOf('--window', options.window, ['expanding', 'rolling']),
    cold: options.cold,
    embargoBars: integer('--embargo-bars', options.embargoBars, { least: 0 }),
    validationPct: config.training.validationPct,
    params: config.models,
    sources: config.features,
  };
}

function conventionText(name: ConventionName, result: Backtest): string {
  const figures = Object.entries(asConvention(name, result)).map(
    ([key, value]) => `${key} ${value === undefined ? '-' : value.toFixed(2)}`,
  );
  return `As ${name} computes it (${CONVENTION_TEXTS[name]}): ${figures.length === 0 ? 'nothing to judge' : figures.join(', ')}.`;
}

function print(
  out: Output,
  result: Backtest,
  about: Provenance,
  files: {
    readonly id: string;
    readonly report: string | undefined;
    readonly convention: ConventionName | undefined;
  },
): void {
  const { ensemble, members, benchmark, setting } = result;
  const { rules } = setting;
  if (about.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  for (const warning of about.warnings) out.print(`WARNING: ${warning}`);
  out.print(
    `${about.symbols.join(', ')} ${about.timeframe} on ${about.exchange}, ${formatMinute(about.fromMs)} .. ${formatMinute(about.untilMs)}: ${result.market.time.length} bars. By ${about.trainedBy}.`,
  );
  if (about.missingBars > 0) out.print(`${about.missingBars} bars are missing; nothing trades across a gap.`);
  const { latencyBars = 0 } = setting;
  const late = latencyBars === 0 ? '' : `, ${counted(latencyBars, 'bar')} late`;
  out.print(`Decisions at the close ${entryWords(rules)}${late}; ${costWords(rules)}.`);
  if (setting.risk !== undefined) out.print(riskText(setting.risk));
  out.print();
  out.table(
    ranked(STRATEGY_HEAD, STRATEGY_RANKS),
    [ensemble, ...members, benchmark].map((one) => strategyRow(one, setting.barsPerYear, about.trials)),
  );
  if (result.seeds.length > 0) {
    out.print(
      '\nMean +- standard deviation over the seeds; the first of them stands above and is the one that forecasts:\n',
    );
    out.table(ranked(SEED_HEAD, SEED_RANKS), result.seeds.map(seedRow));
  }
  if (result.forecasts.some(({ samples }) => samples > 0)) {
    out.print('\nForecasts on these bars, whatever trading them earned:\n');
    out.table(ranked(FORECAST_HEAD, FORECAST_RANKS), result.forecasts.map(forecastRow));
    const coverage = coverageRows(result.forecasts);
    if (coverage.length > 0) {
      out.print('\nAdaptive conformal intervals around the stated returns, by the regime of the bar:\n');
      out.table(COVERAGE_HEAD, coverage);
    }
  }
  if (result.folds.length > 0) {
    out.print('\nFold by fold; every model was refitted on the bars before each:\n');
    out.table(ranked(FOLD_HEAD, FOLD_RANKS), result.folds.map(foldRow));
  }
  if (result.breakdowns !== undefined) {
    out.print('\nThe ensemble part by part:\n');
    out.table(BREAKDOWN_HEAD, breakdownRows(result.breakdowns, rules.initialBalance));
  }
  out.print('');
  printCurves(out, {
    initialBalance: rules.initialBalance,
    ensemble: ensemble.run.equity,
    benchmark: benchmark.run.equity,
    benchmarkName: benchmark.strategy.name,
  });
  const lines = [
    ...outcomeLines(result),
    ...verdicts(result),
    ...forecastLines(result.forecasts),
    ...breakdownLines(result.breakdowns),
  ];
  for (const line of lines) out.print(line);
  if (files.convention !== undefined) out.print(conventionText(files.convention, result));
  const rejected = Object.entries(countReasons(ensemble.run.rejections));
  if (rejected.length > 0)
    out.print(
      `Orders that could not trade: ${rejected.map(([reason, count]) => `${count} ${reason}`).join(', ')}.`,
    );
  out.print(
    `${trialsText(about.trials)} Sharpe: annualised, risk-free rate 0, 365 days; intervals: studentised block bootstrap.`,
  );
  out.print(
    `Kept as ${files.id}: crypto-trader backtest show ${files.id}${files.report === undefined ? '' : `\nReport: ${files.report}`}`,
  );
}

function auditText({ time, findings }: KeptAudit): string {
  const count = (verdict: string): number => findings.filter((one) => one.verdict === verdict).length;
  const failed = findings.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  return `Audit of this run, ${formatMinute(Date.parse(time))}: ${count('passed')} passed, ${count('warned')} warned, ${count('skipped')} skipped, ${failed.length === 0 ? 'none failed' : `FAILED: ${failed.join(', ')}`}.`;
}

/** `Risk rules above the strategy: maxDrawdownPct 20, 2 protections.` Buying and holding has none. */
function riskText({ protections, ...limits }: RiskRules): string {
  const set = Object.entries(limits).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  const all = protections.length === 0 ? set : [...set, counted(protections.length, 'protection')];
  return `Risk rules above every strategy but buy and hold: ${all.join(', ')}.`;
}

/** What goes first on a narrow screen, column by column; 0 stays. */
const STRATEGY_RANKS = [0, 0, 1, 0, 6, 0, 0, 4, 3, 2, 5];
const FORECAST_RANKS = [0, 4, 0, 1, 2, 5, 6, 3];
const FOLD_RANKS = [0, 3, 0, 2, 0, 0, 1];
const SEED_RANKS = [0, 2, 0, 0, 1, 3, 4];
const ranked = (heads: readonly string[], ranks: readonly number[]) =>
  heads.map((head, i) => less(head, ranks[i]));
