import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { isSessionName } from '../../../desk/paper/sessions.ts';
import { START, VIEW_IDS } from '../../dashboard/controls.ts';
import { BACKGROUNDS, paletteFor } from '../../dashboard/palette.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';

const Options = z.object({
  once: z.boolean().default(false),
  plain: z.boolean().default(false),
  validation: z.boolean().default(false),
  view: z.enum(VIEW_IDS).optional(),
  name: z.string().optional(),
  background: z.enum(BACKGROUNDS).default('auto'),
});
type Options = z.output<typeof Options>;

const REFRESH_MS = 1_000;

/** Of a frame that goes into a pipe or a file. */
const FRAME = { columns: 100, rows: 34 };

const HELP = `
Keys: 1 to 9 and the arrows choose a view, tab a pane, up and down a line; p pauses, ? helps, q quits.
It reads what the other commands write, changes nothing, and can be opened several times at once.

Examples:
  $ crypto-trader dashboard
  $ crypto-trader dashboard --view trades
  $ crypto-trader dashboard --validation           how the active run was validated
  $ crypto-trader dashboard --once                 print one frame and exit
  $ crypto-trader dashboard --plain                lines of text for a screen reader
  $ crypto-trader dashboard --json`;

export function register(program: Command): void {
  program
    .command('dashboard')
    .option('--once', 'print one frame and exit')
    .option('--plain', 'lines of text without drawings, for screen readers')
    .addOption(new Option('--view <name>', 'the view to start with').choices(VIEW_IDS))
    .option('--validation', 'start with how the active run was validated')
    .option('--name <session>', 'the paper session to follow; without it the one that was written last')
    .addOption(
      new Option('--background <colour>', 'of the terminal, for readable colours (default auto)').choices(
        BACKGROUNDS,
      ),
    )
    .addHelpText('after', HELP)
    .action(command(async (context, raw) => show(context, Options.parse(raw)), { logs: false }));
}

async function show(context: CommandContext, options: Options): Promise<void> {
  const { config, out, signal } = context;
  const { name } = options;
  if (name !== undefined && !isSessionName(name))
    throw new UsageError(
      `"${name}" cannot be the name of a paper session: \`paper status\` lists those that there are.`,
    );
  const { createWatch, DETAILS } = await import('../../dashboard/watch.ts');
  const { dataDir, logDir, checkpointDir, tuningDir, market } = config;
  const watch = createWatch({
    dataDir,
    logDir,
    checkpointDir,
    tuningDir,
    market: { exchange: config.exchange.id, timeframe: market.timeframe, symbols: market.symbols },
    session: name,
    now: Date.now,
  });
  if (out.json) {
    out.document(await watch.look(DETAILS));
    return;
  }
  const { viewNamed } = await import('../../dashboard/views.ts');
  const view = options.validation ? 'validation' : (options.view ?? START.view);
  const controls = { ...START, view, focus: viewNamed(view).panes[0].id };
  const look = () => watch.look(viewNamed(view).details);
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY && stdout.isTTY;

  if (options.plain) {
    const { spokenView } = await import('../../dashboard/spoken.ts');
    const seen = await look();
    out.frame(spokenView(seen, controls));
    if (options.once || !isTerminal) return;
    for (let last = pulse(seen); ;) {
      await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      const now = await look();
      if (pulse(now) === last) continue;
      last = pulse(now);
      out.frame(`\n${spokenView(now, controls)}`);
    }
  }
  // Ink's colours ask the terminal and --no-color, but not this.
  if (process.env['NO_COLOR'] !== undefined) process.env['FORCE_COLOR'] = '0';
  const palette = paletteFor(options.background, process.env['COLORFGBG']);
  if (options.once || !isTerminal) {
    const { renderFrame } = await import('../../dashboard/frame.tsx');
    const size =
      stdout.isTTY && stdout.columns > 0
        ? { columns: stdout.columns, rows: Math.max(stdout.rows - 1, 1) }
        : FRAME;
    out.frame(renderFrame(await look(), size, { controls, palette }));
    return;
  }
  // With these set, as in some containers, Ink draws only when it ends, and without colours; here somebody looks at a terminal.
  delete process.env['CI'];
  delete process.env['CONTINUOUS_INTEGRATION'];
  const { showLive } = await import('../../dashboard/live.tsx');
  await showLive(watch, {
    stdin,
    stdout,
    intervalMs: REFRESH_MS,
    signal,
    start: controls,
    palette,
    onInterrupt: () => process.kill(process.pid, 'SIGINT'),
  });
  signal.throwIfAborted();
}

/** What has to change before it is read out again: a bar, or the state of a model in training. */
const pulse = ({
  session,
  training,
}: {
  readonly session: { readonly bars: number; readonly sessionId: string } | undefined;
  readonly training: { readonly models: readonly { readonly status: string }[] } | undefined;
}): string =>
  [session?.sessionId, session?.bars, ...(training?.models.map(({ status }) => status) ?? [])].join(' ');
