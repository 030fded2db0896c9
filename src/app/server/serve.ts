import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { errorCode } from '../../data/files.ts';
import { acquireLock } from '../../data/lock.ts';
import { openStore } from '../../data/store/store.ts';
import type { ConfigSources } from '../config/load.ts';
import { createRedactor } from '../config/redact.ts';
import type { DashboardView } from '../dashboard/view.ts';
import type { Watch } from '../dashboard/watch.ts';
import { createApp } from './app.ts';
import { createAsk, type Program } from './ask.ts';
import { createConverse } from './converse.ts';
import { jobsFolder, openJobs } from './jobs/jobs.ts';
import { createLive } from './live.ts';
import { createPrices, exchangePrices, type Prices } from './prices.ts';
import { createSettings, jsonAnswers, type Served } from './served.ts';

export interface ServeSettings {
  readonly sources: ConfigSources;
  readonly program: Program;
  /** Folder of the built page; `undefined`: the API alone. */
  readonly webFolder: string | undefined;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Further `Host` headers, port included, for what stands in front. */
  readonly allowHosts: readonly string[];
  /** Instead of a random token of this start; needed where `host` is not this machine alone. */
  readonly password: string | undefined;
  readonly log: Log;
  readonly patience?: { readonly headersMs: number; readonly requestMs: number };
}

export interface RunningServer {
  /** Where it listens, without the token. */
  readonly url: string;
  readonly token: string;
  /** Ends; jobs that run go on. How many those are. */
  close(): Promise<{ readonly running: number }>;
}

/** Within these times a client has to send its headers, and its whole request; sockets without a request are closed after the first. */
const PATIENCE = { headersMs: 10_000, requestMs: 20_000 };
const KEEP_ALIVE_MS = 5_000;
const MOST_SOCKETS = 4096;

/** Answers the whole program over HTTP until it is closed. One server per data folder. */
export async function startServer(settings: ServeSettings): Promise<RunningServer> {
  const { sources, program, log, host, port, password } = settings;
  const load = createSettings(sources);
  const { dataDir, logDir, checkpointDir, tuningDir, exchange, market } = load().config;
  const { timeframe, symbols } = market;
  const watched = {
    dataDir,
    logDir,
    checkpointDir,
    tuningDir,
    market: { exchange: exchange.id, timeframe, symbols },
    now: Date.now,
  };
  const lock = await acquireLock(join(dataDir, '.serve.lock'), {
    waitMs: 0,
    purpose: 'serving this project',
  });
  try {
    let redactor = createRedactor(process.env);
    const redact = (text: string): string => redactor(text);
    const jobs = await openJobs(jobsFolder(dataDir), program, { log, redact });
    let watch: Watch | undefined;
    let traded: readonly PairSymbol[] = [];
    const look = async () => {
      watch ??= (await import('../dashboard/watch.ts')).createWatch(watched);
      const { risk, ...view } = await watch.look(['risk']);
      const atExchange =
        view.session?.feed === 'exchange' && view.session.exchange === load().config.exchange.id;
      traded = atExchange && risk?.pid !== undefined ? view.positions.map(({ symbol }) => symbol) : [];
      return viewOf(view);
    };
    const prices = createPrices(
      exchangePrices(() => load().config, log),
      { changed: () => live.hurry() },
    );
    const newestPrices = async (): Promise<Prices | undefined> =>
      prices.newest(load().config.exchange.id, traded);
    const live = createLive(
      [
        { event: 'view', value: look },
        { event: 'prices', value: newestPrices },
        { event: 'jobs', value: async () => jobs.list().slice(0, 30) },
      ],
      redact,
    );
    const ask = createAsk(program);
    jobs.onChange(() => {
      ask.forget();
      live.hurry();
    });
    const served: Served = {
      settings: load,
      settingsFile: sources.file,
      store: openStore(dataDir),
      log,
      startedAtMs: Date.now(),
      ask,
      converse: createConverse(program),
      jobs,
      live,
      secretsChanged: () => (redactor = createRedactor(process.env)),
      json: jsonAnswers(redact),
    };
    const token = password ?? randomBytes(32).toString('base64url');
    const { headersMs, requestMs } = settings.patience ?? PATIENCE;
    const server = createServer({ connectionsCheckingInterval: Math.min(1000, headersMs) });
    server.headersTimeout = headersMs;
    server.requestTimeout = requestMs;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.maxConnections = MOST_SOCKETS;
    server.maxRequestsPerSocket = 0;
    const listening = await listen(server, host, port);
    const hosts = [...ownHosts(host, listening), ...settings.allowHosts];
    const app = createApp(
      served,
      { hosts, secret: token, schemes: settings.allowHosts.length > 0 ? ['http', 'https'] : ['http'] },
      settings.webFolder,
    );
    const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    server.on('request', (request, response) => void answer(request, response));
    return {
      url: `http://${hosts[0]}/`,
      token,
      close: async () => {
        live.close();
        prices.close();
        jobs.close();
        await new Promise((done) => {
          server.close(done);
          server.closeAllConnections();
        });
        await lock.release();
        return { running: jobs.list().filter(({ state }) => state === 'running').length };
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Without the log, and with whole minutes where seconds would make every look another view. */
function viewOf({ log: _, time: __, session, ...view }: DashboardView) {
  const overdue = session?.overdueSeconds;
  return {
    ...view,
    session: session && { ...session, overdueSeconds: overdue && 60 * Math.floor(overdue / 60) },
  };
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** What a browser writes into `Host` for this address. */
function ownHosts(host: string, port: number): readonly string[] {
  const names = isLoopback(host) ? [host, '127.0.0.1', 'localhost', '::1'] : [host];
  return [...new Set(names)].map(
    (name) => `${name.includes(':') ? `[${name}]` : name}${port === 80 ? '' : `:${port}`}`,
  );
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE')
        reject(
          new UserError(`Port ${port} of ${host} is in use.`, {
            hint: 'Choose another with --port, or 0 for any that is free.',
            cause: error,
          }),
        );
      else if (errorCode(error) === 'EACCES' || errorCode(error) === 'EADDRNOTAVAIL')
        reject(
          new UserError(`Cannot listen on ${host}, port ${port}: ${error.message}`, {
            hint: 'Choose a port above 1023, and an address of this machine.',
            cause: error,
          }),
        );
      else reject(error);
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
