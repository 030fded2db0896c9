import { openExample } from './project-of-examples.ts';

// A paper session inside a program of your own. On real candles: bars: 'exchange', and it goes on until told to stop.
const { project, remove } = await openExample();
await project.train({ models: ['ridge', 'momentum-garch'], allowSynthetic: true });
let trades = 0;
const onBar = ({ events }: { readonly events: readonly { readonly kind: string }[] }): void => {
  trades += events.filter(({ kind }) => kind === 'trade').length;
};
const first = await project.paper({ bars: 'stored', onBar });
// The session is on disk: the same call goes on after the last bar, here and after a crash.
const again = await project.paper({ bars: 'stored', onBar });
await project.close();
remove();
process.stdout.write(
  `${first.barsProcessed} bars, then ${again.barsProcessed}; ${trades} trades; equity ${first.equity.toFixed(2)}, the same again: ${first.equity === again.equity}\n`,
);
