import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { loopbackVenue, startLoopback } from './rig.ts';

/** An exchange of the test's own with an account there, and a folder for a session. */
export async function setUp() {
  const exchange = await startLoopback();
  onTestFinished(() => exchange.close());
  const working = () =>
    exchange.books.orders().filter(({ status }) => status === 'NEW' || status === 'PARTIALLY_FILLED');
  const asked = (call: string) => exchange.calls.filter((one) => one === call).length;
  return { exchange, working, asked, folder: temporaryFolder(), venue: await loopbackVenue(exchange) };
}
