import { join } from 'node:path';
import { z } from 'zod';
import { findBacktest, listBacktests, readBacktest } from '../../workflows/kept-backtests.ts';
import { NotFound } from '../answers.ts';
import { endpoint } from '../endpoint.ts';
import { Name } from '../jobs/kinds.ts';
import type { Served } from '../served.ts';
import { Document } from './about.ts';

const One = z.object({ id: Name });

const archiveOf = ({ settings }: Served) => {
  const { dataDir, backtest } = settings().config;
  return { folder: join(dataDir, 'backtests'), most: backtest.kept };
};

async function keptBacktest(served: Served, name: string) {
  const archive = archiveOf(served);
  const kept = await listBacktests(archive);
  if (kept.length === 0)
    throw new NotFound('No backtest is kept.', { hint: 'Run one: POST /api/jobs {"kind": "backtest"}.' });
  return readBacktest(archive, await findBacktest(archive, name));
}

export const backtests = [
  endpoint({
    method: 'get',
    path: '/api/backtests',
    tag: 'Backtests',
    summary: 'The backtests that are kept, oldest first.',
    answers: z.object({ backtests: z.array(Document) }),
    answer: async (_, served) => ({
      backtests: (await listBacktests(archiveOf(served))).map((one) =>
        one.kind === 'whole' ? one.summary : { ...one, damaged: true },
      ),
    }),
  }),
  endpoint({
    method: 'get',
    path: '/api/backtests/{id}',
    tag: 'Backtests',
    summary: 'One backtest: settings, hashes, figures with intervals, and every trade.',
    params: One,
    answers: Document,
    answer: async ({ params: { id } }, served) => (await keptBacktest(served, id)).document,
  }),
  endpoint({
    method: 'get',
    path: '/api/backtests/{id}/equity',
    tag: 'Backtests',
    summary: 'Equity curves at bar closes: every model, the ensemble, buy and hold, and exposure.',
    params: One,
    query: z.object({ points: z.coerce.number().int().min(2).max(200_000).default(4000) }),
    answers: z.object({ time: z.array(z.number()), curves: z.record(z.string(), z.array(z.number())) }),
    answer: async ({ params: { id }, query: { points } }, served) =>
      curvesOf((await keptBacktest(served, id)).equity, points),
  }),
  endpoint({
    method: 'get',
    path: '/api/backtests/{id}/compare/{other}',
    tag: 'Backtests',
    summary: 'What two differ in: settings, data, figures, trades, as `backtest diff --json`.',
    params: z.object({ id: Name, other: Name }),
    answers: Document,
    answer: ({ params: { id, other } }, { ask }) => ask.document(['backtest', 'diff', id, other], 60_000),
  }),
];

/** The columns of an equity file, every so-and-so-many-th row and the last. */
function curvesOf(csv: string, points: number) {
  const lines = csv.trimEnd().split('\n');
  const names = fields(lines[0]).slice(1);
  const every = Math.ceil((lines.length - 1) / points);
  const time: number[] = [];
  const columns: number[][] = names.map(() => []);
  for (let row = 1; row < lines.length; row++) {
    if ((row - 1) % every !== 0 && row !== lines.length - 1) continue;
    const cells = lines[row].split(',');
    time.push(Date.parse(cells[0]));
    columns.forEach((column, i) => column.push(Number(cells[i + 1])));
  }
  return { time, curves: Object.fromEntries(names.map((name, i) => [name, columns[i]])) };
}

/** A line of RFC 4180; only names of curves are ever in quotes. */
const fields = (line: string): readonly string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
