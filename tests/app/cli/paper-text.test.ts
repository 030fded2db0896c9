import { expect, it } from 'vitest';
import { waiting } from '../../../src/app/cli/paper-text.ts';
import { openAccount } from '../../../src/desk/paper/account.ts';
import { randomWalk, session, steps } from '../../desk/paper/walk.ts';

it('announces what the next open is going to trade, and not what the rebalancing band leaves alone', () => {
  const account = openAccount(session);
  const [first, second] = steps(randomWalk(2, 5));
  account.see(first.bar);
  // Half of the equity a symbol at most, a band of 5 % of the equity: 10 % of a half stays inside, 12 % does not.
  account.place([0.1, 0.12]);
  expect(waiting(session, account)).toEqual(['ETH/USDT to 12 % at the next open']);
  account.place([0, -1]);
  expect(waiting(session, account)).toEqual([]);
  account.place([0.5, 0]);
  account.see(second.bar);
  // What is held is left however small it is.
  account.place([0, 0]);
  expect(waiting(session, account)).toEqual(['BTC/USDT to 0 % at the next open']);
});
