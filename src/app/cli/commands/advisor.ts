import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { z } from 'zod';
import { IN_PLAIN_WORDS, issueLines } from '../../../core/foundation/plain-issues.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { askAdviser, type ChatAnswer, type Message } from '../../advisor/chat.ts';
import { UNSUPPORTED } from '../../advisor/figures.ts';
import { pickProviders, type ReadyProvider } from '../../advisor/providers.ts';
import { usdText } from '../../advisor/spending.ts';
import { providersOf, purseOf, sourcesOf } from '../advisor-context.ts';
import { command, type CommandContext, list } from '../command.ts';
import { counted } from '../dataset-document.ts';
import { UsageError } from '../exit.ts';
import { escapeUnprintable } from '../json-text.ts';
import { less, prose } from '../table.ts';
import { addSentiment } from './advisor-sentiment.ts';
import { addVotes } from './advisor-votes.ts';

const ChatOptions = z.object({
  provider: z.string().optional(),
  all: z.boolean().default(false),
  events: z.boolean().default(false),
});

export function register(program: Command): void {
  const advisor = program.command('advisor');
  advisor
    .command('providers')
    .description('the language models that are set, what the others lack, and what was spent today')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader advisor providers')
    .action(command(async (context) => showProviders(context), { logs: false }));

  advisor
    .command('chat [question]')
    .description('a question about this project; without one, a conversation')
    .option('--provider <id>', 'which of the providers (default: the first that is ready)')
    .option('--all', 'ask every provider that is ready, and show the answers one below another')
    .option('--events', 'JSON lines: messages in, one object per event out; for programs')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader advisor chat "Which model had the best record in the last month?"
  $ crypto-trader advisor chat --all "Is BTC calmer than a month ago?"
  $ crypto-trader advisor chat

The model gets read-only tools: stored data, features, signals, backtests, paper sessions. It cannot trade, write, read files or
reach the network. Behind every figure stands the number of the tool call that returned it, or [?] where none did.`,
    )
    .action(command(async (context, options, text) => chat(context, ChatOptions.parse(options), text)));

  addVotes(advisor);
  addSentiment(advisor);
}

async function showProviders(context: CommandContext): Promise<void> {
  const { out, config } = context;
  const entries = providersOf(context);
  const spent = await purseOf(context).today();
  const { usdPerDay, tokensPerDay } = config.advisor;
  out.document({
    providers: entries.map((entry) => ({
      provider: entry.id,
      ready: entry.state === 'ready',
      kind: entry.state === 'ready' ? entry.settings.kind : undefined,
      model: entry.state === 'ready' ? entry.settings.model : entry.model,
      usdPerMillionTokens: entry.state === 'ready' ? entry.settings.price : undefined,
      reason: entry.state === 'absent' ? entry.why : undefined,
    })),
    today: { usd: spent.usd, tokens: spent.tokens, calls: spent.calls, usdPerDay, tokensPerDay },
  });
  out.table(
    ['provider', 'ready', less('model', 1), less('USD per M tokens in, out', 2), prose('lacks')],
    entries.map((entry) => [
      entry.id,
      entry.state === 'ready' ? 'yes' : 'no',
      (entry.state === 'ready' ? entry.settings.model : entry.model) ?? '-',
      entry.state === 'ready' ? `${entry.settings.price.input}, ${entry.settings.price.output}` : '-',
      entry.state === 'absent' ? entry.why : '',
    ]),
  );
  out.print(
    `Today (UTC): ${usdText(spent.usd)} of ${usdText(usdPerDay)}, ${spent.tokens} of ${tokensPerDay} tokens, ${counted(spent.calls, 'call')}.`,
  );
  if (entries.every(({ state }) => state === 'absent'))
    out.print('Set one under advisor.providers in config.yaml; docs/advisor.md shows how.');
}

const LONGEST_QUESTION = 20_000;

async function chat(
  context: CommandContext,
  { provider, all, events }: z.output<typeof ChatOptions>,
  question: string,
): Promise<void> {
  const { out } = context;
  if (all && provider !== undefined) throw new UsageError('--all and --provider exclude each other.');
  if (all && events) throw new UsageError('--events streams one answer; leave out --all.');
  if (question.length > LONGEST_QUESTION)
    throw new UsageError(`The question has more than ${LONGEST_QUESTION} characters.`);
  if (question === '' && (all || out.json))
    throw new UsageError('Give a question in quotes; only "advisor chat" alone is a conversation.');
  const picked = pickProviders(providersOf(context), provider === undefined ? undefined : list(provider));
  const ask = await asker(context);
  if (events) return answerEvents(context, picked[0], ask);
  if (question === '') return converse(context, picked[0], ask);
  const messages = [{ role: 'user', content: question }] as const;
  if (all) return sideBySide(context, picked, (one) => ask(one, messages, () => {}));
  const answer = await spoken(context, picked[0], messages, ask);
  out.document(answerDocument(answer));
}

type Ask = (
  provider: ReadyProvider,
  messages: readonly Message[],
  onEvent: Parameters<typeof askAdviser>[2]['onEvent'],
) => Promise<ChatAnswer>;

async function asker(context: CommandContext): Promise<Ask> {
  const { config, signal } = context;
  const purse = purseOf(context);
  const sources = await sourcesOf(context);
  return (provider, messages, onEvent) =>
    askAdviser(provider, messages, {
      sources,
      purse,
      limits: config.advisor,
      nowMs: Date.now(),
      signal,
      onEvent,
    });
}

/** The answer while it comes in, then what it rests on. */
async function spoken(
  { out }: CommandContext,
  provider: ReadyProvider,
  messages: readonly Message[],
  ask: Ask,
): Promise<ChatAnswer> {
  const answer = await ask(provider, messages, (event) => {
    if (event.kind === 'text') out.piece(event.text);
  });
  out.print();
  for (const line of restsOn(answer)) out.print(line);
  return answer;
}

function restsOn({ calls, figures, spent, cut, provider, model }: ChatAnswer): readonly string[] {
  const { cited, unsupported } = figures;
  return [
    ...calls.map(({ tool, input }, i) => `[${i + 1}] ${tool} ${argumentsText(input)}`),
    ...(unsupported.length === 0
      ? []
      : [
          `${UNSUPPORTED} ${counted(unsupported.length, 'figure')} came from no tool: ${[...new Set(unsupported)].slice(0, 10).join(', ')}. Do not rely on ${unsupported.length === 1 ? 'it' : 'them'}.`,
        ]),
    ...(cut === undefined ? [] : [`The answer is not complete: ${cut}.`]),
    `${provider} (${model}): ${counted(cited, 'figure')} cited; ${usdText(spent.usd)}, ${spent.tokens.input} tokens in, ${spent.tokens.output} out, ${counted(spent.calls, 'call')}. A language model is no forecast: it has no vote.`,
  ];
}

const argumentsText = (input: unknown): string =>
  typeof input === 'object' && input !== null
    ? Object.values(input)
        .map((value: unknown) => (Array.isArray(value) ? value.join(',') : String(value)))
        .join(' ')
    : '';

const answerDocument = ({ provider, model, text, calls, figures, spent, cut }: ChatAnswer) => ({
  provider,
  model,
  answer: text,
  complete: cut === undefined,
  reason: cut,
  calls: calls.map(({ tool, input, result }, i) => ({ number: i + 1, tool, input, result })),
  figures: { cited: figures.cited, unsupported: figures.unsupported },
  usd: spent.usd,
  inputTokens: spent.tokens.input,
  outputTokens: spent.tokens.output,
  modelCalls: spent.calls,
});

async function sideBySide(
  { out, signal }: CommandContext,
  providers: readonly ReadyProvider[],
  ask: (provider: ReadyProvider) => Promise<ChatAnswer>,
): Promise<void> {
  const results = await Promise.allSettled(providers.map(ask));
  signal.throwIfAborted();
  const answers = results.map((result, i) => {
    if (result.status === 'fulfilled') return { kind: 'answer', answer: result.value } as const;
    const error: unknown = result.reason;
    if (!(error instanceof UserError)) throw error;
    return { kind: 'failed', provider: providers[i], why: error.message } as const;
  });
  out.document({
    answers: answers.map((one) =>
      one.kind === 'answer'
        ? answerDocument(one.answer)
        : { provider: one.provider.id, model: one.provider.settings.model, error: one.why },
    ),
  });
  for (const one of answers) {
    const { provider, model } =
      one.kind === 'answer' ? one.answer : { provider: one.provider.id, model: one.provider.settings.model };
    out.print(`== ${provider} (${model})`);
    out.print(one.kind === 'answer' ? one.answer.text : `No answer: ${one.why}`);
    out.print();
    if (one.kind === 'answer') for (const line of restsOn(one.answer)) out.print(line);
    out.print();
  }
  if (answers.every(({ kind }) => kind === 'failed')) process.exitCode = 1;
}

/** Every line of the input is a question; the answers before it are remembered. */
async function converse(context: CommandContext, provider: ReadyProvider, ask: Ask): Promise<void> {
  const { out, signal } = context;
  const lines = createInterface({ input: process.stdin, signal, terminal: process.stdin.isTTY });
  const prompt = (): void => {
    if (process.stdin.isTTY) process.stderr.write('> ');
  };
  if (process.stdin.isTTY) out.notice(`${provider.id} (${provider.settings.model}). An empty line ends.`);
  const messages: Message[] = [];
  prompt();
  for await (const line of lines) {
    if (line.trim() === '') break;
    messages.push({ role: 'user', content: line.slice(0, LONGEST_QUESTION) });
    const { text } = await spoken(context, provider, messages, ask);
    messages.push({ role: 'assistant', content: text });
    prompt();
  }
  lines.close();
  signal.throwIfAborted();
}

const Request = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['user', 'assistant']),
        content: z.string().min(1).max(LONGEST_QUESTION),
      }),
    )
    .min(1)
    .max(50),
});

/** One line with the messages in, one line per event out. */
async function answerEvents(
  { out, signal }: CommandContext,
  provider: ReadyProvider,
  ask: Ask,
): Promise<void> {
  const emit = (event: object): void => out.frame(escapeUnprintable(JSON.stringify(event)));
  const lines = createInterface({ input: process.stdin, signal });
  for await (const line of lines) {
    const request = Request.safeParse(parsedJson(line), IN_PLAIN_WORDS);
    if (!request.success)
      throw new UsageError(`--events expects a line with messages: ${issueLines(request.error).join('; ')}.`);
    const answer = await ask(provider, request.data.messages, emit);
    const { answer: _, ...end } = answerDocument(answer);
    emit({ kind: 'end', ...end });
  }
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
