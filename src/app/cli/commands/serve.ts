import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { command, type CommandContext, integer, list } from '../command.ts';
import { UsageError } from '../exit.ts';

const Options = z.object({
  config: z.string().optional(),
  host: z.string(),
  port: z.string(),
  allowHost: z.string().transform(list).optional(),
  open: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const PASSWORD = 'SERVE_PASSWORD';
const SHORTEST_PASSWORD = 16;

const HELP = `
The address that is printed ends in a token of this start; without it nothing is answered. Long work (fetch, train, backtest, ...)
runs as processes of their own: it continues when the server ends, and the next server finds it.

Another address than 127.0.0.1 needs the names it is reached by (--allow-host) and a password of at least ${SHORTEST_PASSWORD} characters in
the variable ${PASSWORD}, which takes the place of the token. Put TLS in front: without it anybody on the way reads everything.

Examples:
  $ crypto-trader serve
  $ crypto-trader serve --port 9000
  $ ${PASSWORD}=... crypto-trader serve --host 0.0.0.0 --allow-host trader.lan:8899`;

export function register(program: Command): void {
  program
    .command('serve')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'on which port; 0: any that is free', '8899')
    .option('--allow-host <list>', 'further names this server is reached by, with port: trader.lan:8899')
    .addHelpText('after', HELP)
    .action(command(async (context, options) => serve(context, Options.parse(options))));
}

async function serve(context: CommandContext, options: Options): Promise<void> {
  const { out, log, signal } = context;
  const port = integer('--port', options.port, { least: 0 });
  if (port > 65_535) throw new UsageError(`--port cannot be "${port}": expected at most 65535.`);
  const allowHosts = (options.allowHost ?? []).map(requireHost);
  const { isLoopback, startServer } = await import('../../server/serve.ts');
  const password = isLoopback(options.host) ? undefined : requirePassword(options.host, allowHosts);
  // A job and what it starts have no use for it.
  delete process.env[PASSWORD];
  const root = new URL('../../../../', import.meta.url);
  const web = fileURLToPath(new URL('dist/web', root));
  const server = await startServer({
    sources: {
      file: options.config ?? 'config.yaml',
      fileRequired: options.config !== undefined,
      environment: process.env,
      flags: context.flags,
    },
    program: {
      bin: fileURLToPath(new URL('bin/crypto-trader.js', root)),
      globals: context.globals,
      folder: process.cwd(),
    },
    webFolder: existsSync(web) ? web : undefined,
    host: options.host,
    port,
    allowHosts,
    password,
    log,
  });
  log.info({ url: server.url }, 'serving');
  const address = password === undefined ? `${server.url}#token=${server.token}` : server.url;
  if (out.json)
    process.stdout.write(
      `${JSON.stringify({ url: server.url, token: password === undefined ? server.token : null, pid: process.pid })}\n`,
    );
  out.print(`Dashboard  ${address}`);
  out.print(`API        ${server.url}api/openapi.json`);
  if (password !== undefined)
    out.print(
      'WARNING: this is no loopback address. Without TLS in front, anybody on the way reads everything, the password too.',
    );
  if (!existsSync(web)) out.print('The page is not built; only the API is served.');
  out.print('Ctrl-C ends the server; jobs that run go on.');
  await new Promise<void>((ended) => signal.addEventListener('abort', () => ended(), { once: true }));
  const { running } = await server.close();
  if (running > 0)
    out.notice(
      `${running} ${running === 1 ? 'job goes' : 'jobs go'} on; the next \`serve\` shows ${running === 1 ? 'it' : 'them'}.`,
    );
  signal.throwIfAborted();
}

function requireHost(text: string): string {
  if (/^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(text)) return text;
  throw new UsageError(
    `--allow-host cannot be "${text}": expected a name and port, such as trader.lan:8899.`,
  );
}

function requirePassword(host: string, allowHosts: readonly string[]): string {
  if (allowHosts.length === 0)
    throw new UserError(`"${host}" is reached from other machines, and no name for it is allowed.`, {
      hint: 'Name them: --allow-host trader.lan:8899. Or stay on this machine: leave --host out.',
    });
  const password = process.env[PASSWORD];
  if (password !== undefined && password.length >= SHORTEST_PASSWORD) return password;
  throw new UserError(
    `"${host}" is reached from other machines, and ${PASSWORD} is ${password === undefined ? 'not set' : 'too short'}.`,
    { hint: `Set it in the environment: at least ${SHORTEST_PASSWORD} characters.` },
  );
}
