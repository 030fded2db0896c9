import { openExample } from './project-of-examples.ts';

const { project, remove } = await openExample();
const run = await project.train({ models: ['ridge', 'momentum-garch'], allowSynthetic: true });
const signal = await project.signal('BTC/USDT', { minConfidence: 0 });
const backtest = await project.backtest();
process.stdout.write(
  `${run.members.length} models; BTC/USDT: ${signal?.action ?? 'no opinion'}; ${backtest.about.trials.count} trials; report of ${project.report(backtest).length > 1000 ? 'one page' : 'nothing'}\n`,
);
await project.close();
remove();
