import { openExample } from './project-of-examples.ts';

/** A bot that exists already: it has orders, accounts and a loop of its own, and wants an opinion. */
const bot = {
  positions: new Map<string, number>(),
  setPosition(symbol: string, share: number): void {
    this.positions.set(symbol, share);
  },
};

const { project, remove } = await openExample();
await project.train({ models: ['ridge', 'momentum-garch'], allowSynthetic: true });
// In its loop, after each close. `undefined`: no opinion, or not sure enough; what is held stays.
for (const symbol of ['BTC/USDT', 'ETH/USDT'] as const) {
  const signal = await project.signal(symbol, { minConfidence: 0.1 });
  if (signal?.position !== undefined) bot.setPosition(symbol, Math.max(0, signal.position));
}
await project.close();
remove();
process.stdout.write(`the bot holds a position in ${bot.positions.size} of 2 markets\n`);
