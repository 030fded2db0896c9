import { expect, test } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { followActive } from '../../../src/app/workflows/follow-active.ts';
import type { BarFeed } from '../../../src/desk/paper/feed.ts';
import type { TrainedSet } from '../../../src/learning/training/checkpoints.ts';

function decided(runId: string, asked: string[]) {
  const feed: BarFeed = {
    look: async () => {
      asked.push(runId);
      return { bars: [], ended: false };
    },
  };
  return { trained: { runId, members: [] } as unknown as TrainedSet, feed };
}

test('a promoted run takes over between two looks, one that cannot is named once', async () => {
  const asked: string[] = [];
  const said: string[] = [];
  let active: string | undefined = 'a';
  const feed = followActive(decided('a', asked), {
    active: async () => active,
    open: async (runId) => {
      if (runId === 'other-pairs') throw new UserError('it was not trained on these pairs.', { hint: '' });
      return decided(runId, asked);
    },
    onChange: (runId) => said.push(runId),
    onRefused: (runId) => said.push(`not ${runId}`),
  });
  const { signal } = new AbortController();
  for (const now of ['a', 'b', 'other-pairs', 'other-pairs', undefined, 'a']) {
    active = now;
    await feed.look(undefined, signal);
  }
  expect(asked).toEqual(['a', 'b', 'b', 'b', 'b', 'a']);
  expect(said).toEqual(['b', 'not other-pairs', 'a']);
});
