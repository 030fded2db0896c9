import type { Store } from '../../data/store/store.ts';

/** The assets that a scorer of texts has judged news about. */
export async function newsSubjects(
  store: Store,
  scorer: string,
): Promise<{ readonly scorer: string; readonly assets: readonly string[] }> {
  const all = await store.series.list();
  const own = all.filter(({ name, subject }) => name === 'news' && subject.startsWith(`${scorer}/`));
  return { scorer, assets: own.map(({ subject }) => subject.slice(scorer.length + 1)) };
}
