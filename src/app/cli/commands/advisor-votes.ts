import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { openStore } from '../../../data/store/store.ts';
import { factsOf } from '../../advisor/facts.ts';
import { judgeVotes } from '../../advisor/judge-votes.ts';
import { listProviders, pickProviders, type ReadyProvider } from '../../advisor/providers.ts';
import { usdText } from '../../advisor/spending.ts';
import type { Sources } from '../../advisor/tools.ts';
import { type Ballot, type Cast, castVote, consensusOf, promptHash, replayVote } from '../../advisor/vote.ts';
import { keepVotes, readVotes, type VoteRecord } from '../../advisor/vote-log.ts';
import { createRedactor } from '../../config/redact.ts';
import { configuredInstruments, executionRules } from '../../config/execution.ts';
import { providersOf, purseOf, sourcesOf } from '../advisor-context.ts';
import { command, type CommandContext, integer, list, symbolsOf } from '../command.ts';
import { counted } from '../dataset-document.ts';
import { less, prose } from '../table.ts';

const SignalOptions = z.object({
  symbols: z.string().optional(),
  providers: z.string().optional(),
  horizon: z.string().default('24'),
  contaminated: z.boolean().default(false),
});
const LogOptions = z.object({ replay: z.string().optional(), last: z.string().default('10') });

/** `advisor signal|log`: votes of language models, and what became of them. */
export function addVotes(advisor: Command): void {
  advisor
    .command('signal')
    .description('every provider votes BUY, SELL or HOLD on the same figures; kept on record, weight 0')
    .option('--symbols <list>', 'pairs (default: market.symbols)')
    .option('--providers <list>', 'who votes (default: all that are ready)')
    .option('--horizon <bars>', 'bars over which a vote will be judged', '24')
    .option(
      '--contaminated',
      'vote on bars that are not the newest; kept apart, never judged with the others',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader advisor signal
  $ crypto-trader advisor signal --symbols BTC/USDT --providers claude,local --horizon 12

A voter sees figures as known at the close of the newest bar, no text. It names which of them its vote rests on. The same figures are
not paid for twice: a vote that is on record is shown again.`,
    )
    .action(command(async (context, options) => vote(context, SignalOptions.parse(options))));

  advisor
    .command('log')
    .description('the votes on record, judged over bars that opened after they were made')
    .option('--last <count>', 'show the newest N votes', '10')
    .option('--replay <id>', 'make a vote again from its recording; exit code 3 when it differs')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader advisor log
  $ crypto-trader advisor log --replay 1f0c9a7e`,
    )
    .action(
      command(async (context, options) => showLog(context, LogOptions.parse(options)), { logs: false }),
    );
}

/** Bars that closed longer ago are old: what came after them may be known to a model. */
const FRESH_BARS = 2;

async function vote(context: CommandContext, options: z.output<typeof SignalOptions>): Promise<void> {
  const { config, out, signal } = context;
  const horizonBars = integer('--horizon', options.horizon, { least: 1 });
  const named = options.providers === undefined ? undefined : list(options.providers);
  const providers = pickProviders(providersOf(context), named);
  const symbols = symbolsOf(options.symbols, config.market.symbols);
  const sources = await sourcesOf(context);
  const known = await readVotes(config.dataDir);
  const ballot = randomUUID().slice(0, 8);
  const progress = out.progress();
  const task = progress.task('votes', symbols.length * providers.length);
  const shown: { record: VoteRecord; again: boolean }[] = [];
  let done = 0;
  try {
    for (const symbol of symbols) {
      const asked = await askedAbout(context, sources, symbol, {
        horizonBars,
        contaminated: options.contaminated,
      });
      const hash = promptHash(asked.ballot);
      const casts = await Promise.all(
        providers.map(async (provider) => {
          const before = known.find((one) => isSame(one, provider, hash));
          const record = before ?? (await castOne(context, provider, asked, ballot));
          task.update(++done, provider.id);
          return { record, again: before !== undefined };
        }),
      );
      const added = casts.filter(({ again }) => !again).map(({ record }) => record);
      // Durable before anybody is told.
      if (added.length > 0) await keepVotes(config.dataDir, added);
      shown.push(...casts);
      signal.throwIfAborted();
    }
  } finally {
    progress.stop();
  }
  printVotes(context, symbols, shown);
  if (shown.every(({ record }) => record.cast.kind === 'abstained')) process.exitCode = 1;
}

const isSame = (one: VoteRecord, { id, settings }: ReadyProvider, hash: string): boolean =>
  one.provider === id &&
  one.model === settings.model &&
  one.promptSha256 === hash &&
  one.cast.kind === 'vote';

interface Asked {
  readonly ballot: Ballot;
  readonly about: Pick<
    VoteRecord,
    | 'exchange'
    | 'symbol'
    | 'timeframe'
    | 'synthetic'
    | 'horizonBars'
    | 'barClosedMs'
    | 'contaminated'
    | 'facts'
  >;
}

/** What is known of a symbol. Throws `UserError` for an old bar, unless `contaminated`. */
async function askedAbout(
  { config }: CommandContext,
  sources: Sources,
  symbol: PairSymbol,
  { horizonBars, contaminated }: { readonly horizonBars: number; readonly contaminated: boolean },
): Promise<Asked> {
  const { timeframe } = config.market;
  const exchange = config.exchange.id;
  const manifest = await openStore(config.dataDir).manifest({ exchange, symbol, timeframe });
  if (manifest === undefined)
    throw new UserError(`There are no candles of ${symbol} ${timeframe} from ${exchange}.`, {
      hint: `Get them: crypto-trader fetch --symbols ${symbol}`,
    });
  const barClosedMs = manifest.lastTimeMs + TIMEFRAME_MS[timeframe];
  const isOld = Date.now() - barClosedMs > FRESH_BARS * TIMEFRAME_MS[timeframe];
  if (isOld && !contaminated)
    throw new UserError(
      `The newest bar of ${symbol} closed at ${formatMinute(barClosedMs)}: a language model may know what came after it.`,
      {
        hint: 'Get the newest: crypto-trader fetch. With --contaminated it votes all the same; such votes are kept apart.',
      },
    );
  const facts = await factsOf(sources, symbol, barClosedMs);
  const { synthetic } = manifest;
  return {
    ballot: { symbol, timeframe, horizonBars, facts },
    about: { exchange, symbol, timeframe, synthetic, horizonBars, barClosedMs, contaminated: isOld, facts },
  };
}

async function castOne(
  context: CommandContext,
  provider: ReadyProvider,
  { ballot: asked, about }: Asked,
  ballot: string,
): Promise<VoteRecord> {
  const { config, signal } = context;
  const { mostOutputTokens, retries, timeoutSeconds } = config.advisor;
  const { cast, promptSha256, exchanges, usd, tokens } = await castVote(provider, asked, {
    purse: purseOf(context),
    limits: { retries, mostOutputTokens },
    timeoutMs: 1000 * timeoutSeconds,
    signal,
  });
  const redact = createRedactor(process.env);
  return {
    version: 1,
    id: randomUUID().slice(0, 8),
    ballot,
    // When the answer was there: nothing before it could follow it.
    atMs: Date.now(),
    provider: provider.id,
    providerKind: provider.settings.kind,
    model: provider.settings.model,
    ...about,
    promptSha256,
    mostOutputTokens,
    cast,
    usd,
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    exchanges: exchanges.map((one) => ({ ...one, body: redact(one.body) })),
  };
}

function printVotes(
  { out }: CommandContext,
  symbols: readonly PairSymbol[],
  shown: readonly { readonly record: VoteRecord; readonly again: boolean }[],
): void {
  const bySymbol = symbols.map((symbol) => {
    const own = shown.filter(({ record }) => record.symbol === symbol);
    return { symbol, own, consensus: consensusOf(own.map(({ record }) => record.cast)) };
  });
  out.document({
    weightInEnsemble: 0,
    symbols: bySymbol.map(({ symbol, own, consensus }) => ({
      symbol,
      time: formatTime(own[0].record.barClosedMs),
      horizonBars: own[0].record.horizonBars,
      contaminated: own[0].record.contaminated,
      synthetic: own[0].record.synthetic,
      consensus,
      votes: own.map(({ record, again }) => voteDocument(record, again)),
    })),
  });
  for (const { symbol, own, consensus } of bySymbol) {
    const [{ record }] = own;
    out.print(
      `\n${symbol} at the close of ${formatMinute(record.barClosedMs)}, over ${record.horizonBars} bars of ${record.timeframe}${record.contaminated ? ', CONTAMINATED: an old bar' : ''}${record.synthetic ? ', SYNTHETIC candles' : ''}`,
    );
    out.table(
      ['voter', less('model', 2), 'vote', 'sure', prose('rests on'), less('cost', 1)],
      own.map(({ record: one, again }) => [
        one.provider,
        one.model,
        one.cast.kind === 'vote' ? one.cast.vote.action : 'abstains',
        one.cast.kind === 'vote' ? one.cast.vote.confidence.toFixed(2) : '-',
        restsOn(one),
        again ? 'on record' : usdText(one.usd),
      ]),
    );
    out.print(consensusText(consensus));
  }
  out.print(
    '\nA vote moves nothing: its weight in the ensemble is 0. What became of them: crypto-trader advisor log',
  );
}

function consensusText({
  action,
  lean,
  disagreement,
  votes,
  abstained,
}: ReturnType<typeof consensusOf>): string {
  if (action === undefined) return 'Nobody voted.';
  return `Consensus ${action}: ${counted(votes, 'vote')}${abstained === 0 ? '' : `, ${abstained} abstained`}, lean ${lean?.toFixed(2)} (-1 to 1), ${Math.round(100 * (disagreement ?? 0))} % say otherwise.`;
}

const restsOn = ({ cast, facts }: VoteRecord): string =>
  cast.kind === 'abstained'
    ? cast.why
    : cast.vote.reasons.map(({ fact, supports }) => `${fact} ${facts[fact]} (${supports})`).join(', ');

const voteDocument = (record: VoteRecord, again: boolean) => ({
  id: record.id,
  provider: record.provider,
  model: record.model,
  votedAt: formatTime(record.atMs),
  fromRecord: again,
  action: record.cast.kind === 'vote' ? record.cast.vote.action : undefined,
  confidence: record.cast.kind === 'vote' ? record.cast.vote.confidence : undefined,
  reasons:
    record.cast.kind === 'vote'
      ? record.cast.vote.reasons.map(({ fact, supports }) => ({ fact, value: record.facts[fact], supports }))
      : undefined,
  repaired: record.cast.kind === 'vote' ? record.cast.repaired : undefined,
  abstained: record.cast.kind === 'abstained' ? record.cast.why : undefined,
  promptSha256: record.promptSha256,
  usd: record.usd,
  inputTokens: record.inputTokens,
  outputTokens: record.outputTokens,
});

async function showLog(context: CommandContext, options: z.output<typeof LogOptions>): Promise<void> {
  const { config, out } = context;
  const votes = await readVotes(config.dataDir);
  if (options.replay !== undefined) return replay(context, votes, options.replay);
  const last = integer('--last', options.last, { least: 1 });
  const records = await judgeVotes(votes, {
    store: openStore(config.dataDir),
    rulesFor: (symbols) => executionRules(config, symbols),
    instrumentsFor: (symbols) => configuredInstruments(config.trading, symbols),
    seed: config.seed,
  });
  const shown = votes.slice(-last);
  out.document({
    weightInEnsemble: 0,
    count: votes.length,
    voters: records,
    votes: shown.map((one) => ({
      symbol: one.symbol,
      time: formatTime(one.barClosedMs),
      contaminated: one.contaminated,
      ...voteDocument(one, true),
    })),
  });
  if (votes.length === 0)
    return out.print('No vote is on record. Ask for some: crypto-trader advisor signal');
  out.table(
    ['voted at', 'id', 'symbol', 'voter', 'vote', less('sure', 2), { ...prose('rests on'), rank: 1 }],
    shown.map((one) => [
      formatMinute(one.atMs),
      one.id,
      one.symbol,
      `${one.provider}${one.contaminated ? ' *' : ''}`,
      one.cast.kind === 'vote' ? one.cast.vote.action : 'abstains',
      one.cast.kind === 'vote' ? one.cast.vote.confidence.toFixed(2) : '-',
      restsOn(one),
    ]),
  );
  out.print('');
  out.table(
    [
      'voter',
      'votes',
      less('abstained', 3),
      'judged',
      'hit %',
      less('95 %', 1),
      'return %',
      'held %',
      less('bars', 2),
      less('cost', 4),
    ],
    records.map((one) => [
      `${one.voter}${one.contaminated ? ' *' : ''}`,
      String(one.votes),
      String(one.abstained),
      String(one.judged),
      one.hitPct?.toFixed(0) ?? '-',
      one.hitInterval === undefined ? '-' : one.hitInterval.map((end) => end.toFixed(0)).join(' .. '),
      one.returnPct?.toFixed(2) ?? '-',
      one.holdPct?.toFixed(2) ?? '-',
      String(one.bars),
      usdText(one.usd),
    ]),
  );
  out.print(
    'Judged are BUY and SELL whose horizon is over, from the first bar that opened after the vote. Returns: the votes followed by the same engine as every backtest, with costs; held: equal parts, without. Weight in the ensemble: 0.',
  );
  if (votes.some(({ contaminated }) => contaminated))
    out.print(
      '* CONTAMINATED: on bars that were old; the model may have known what came after them. Worth nothing as evidence.',
    );
  if (votes.some(({ synthetic }) => synthetic))
    out.print('Some are of SYNTHETIC candles: they say nothing about any market.');
}

/** The vote from what was recorded must be the one that was kept. */
async function replay({ out }: CommandContext, votes: readonly VoteRecord[], id: string): Promise<void> {
  const record = votes.find((one) => one.id === id);
  if (record === undefined)
    throw new UserError(`No vote "${id}" is on record.`, {
      hint: 'See their ids: crypto-trader advisor log',
    });
  const settings = {
    ...{ kind: record.providerKind, model: record.model, price: { input: 0, output: 0 } },
    ...{ url: 'http://127.0.0.1/v1', keyVariable: 'RECORDED' },
  };
  const entries = listProviders({ [record.provider]: settings }, { RECORDED: 'none' }, { timeoutMs: 1000 });
  const [provider] = pickProviders(entries, [record.provider]);
  const { symbol, timeframe, horizonBars, facts, exchanges, mostOutputTokens } = record;
  const found: Cast = await replayVote(
    provider,
    { symbol, timeframe, horizonBars, facts },
    { exchanges, limits: { retries: 0, mostOutputTokens } },
  );
  const equal = JSON.stringify(found) === JSON.stringify(record.cast);
  out.document({ id, equal, recorded: record.cast, replayed: found });
  if (!equal)
    throw new CheckFailed(
      `The vote ${id} is not what its recording gives: ${castText(found)} instead of ${castText(record.cast)}.`,
    );
  out.print(
    `${id}: ${castText(found)}, the same again from its recording of ${counted(exchanges.length, 'answer')}.`,
  );
}

const castText = (cast: Cast): string =>
  cast.kind === 'vote' ? `${cast.vote.action} ${cast.vote.confidence}` : `abstained (${cast.why})`;
