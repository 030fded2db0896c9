import { OpenAPIHono } from '@hono/zod-openapi';
import { programVersion } from '../../data/program-version.ts';
import { refusal } from './answers.ts';
import { createGuard, type GuardSettings, securityHeaders } from './guard.ts';
import { about } from './routes/about.ts';
import { advisorRoutes } from './routes/advisor.ts';
import { backtests } from './routes/backtests.ts';
import { jobRoutes } from './routes/jobs.ts';
import { liveTrading } from './routes/live-trading.ts';
import { market } from './routes/market.ts';
import { models } from './routes/models.ts';
import { paper } from './routes/paper.ts';
import { predictionRoutes } from './routes/predictions.ts';
import { settingsRoutes } from './routes/settings.ts';
import { textRoutes } from './routes/texts.ts';
import type { Served } from './served.ts';
import { serveFiles } from './static-files.ts';

/** The whole API and the files of the page, behind the guard. */
export function createApp(served: Served, guard: GuardSettings, webFolder: string | undefined): OpenAPIHono {
  const app = new OpenAPIHono();
  app.use(securityHeaders);
  app.use(createGuard(guard));
  for (const add of [
    ...about,
    ...market,
    ...models,
    ...predictionRoutes,
    ...backtests,
    ...paper,
    ...liveTrading,
    ...jobRoutes,
    ...settingsRoutes,
    ...textRoutes,
    ...advisorRoutes,
  ])
    add(app, served);

  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  let description: string | undefined;
  app.get('/api/openapi.json', (c) => {
    description ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: 'crypto-trader',
          version: programVersion(),
          description:
            'What `crypto-trader serve` answers. Every answer to a POST or GET below /api needs the token that it prints.',
          license: { name: 'MIT' },
        },
      }),
    );
    return c.body(description, 200, { 'Content-Type': 'application/json' });
  });

  if (webFolder !== undefined) app.use(serveFiles(webFolder));
  app.notFound((c) =>
    refusal(c, 404, `There is nothing at "${c.req.path.slice(0, 200)}".`, 'See /api/openapi.json.'),
  );
  app.onError((error, c) => {
    served.log.error({ err: error, path: c.req.path }, 'a request failed');
    return refusal(
      c,
      500,
      'This is a bug in crypto-trader, not something you did.',
      'Its stack is in the log.',
    );
  });
  return app;
}
