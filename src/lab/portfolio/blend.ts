import type { Allocation } from '../../core/portfolio/allocator.ts';
import type { PortfolioStrategy } from './walk-forward.ts';

/** Equal parts of several strategies; its notes say which, and which are `absent`. */
export function blend(
  id: string,
  parts: readonly PortfolioStrategy[],
  absent: readonly string[] = [],
): PortfolioStrategy {
  return {
    id,
    async allocate(decision) {
      const found: { readonly id: string; readonly allocation: Allocation }[] = [];
      for (const part of parts) {
        const allocation = await part.allocate(decision);
        if (allocation !== undefined) found.push({ id: part.id, allocation });
      }
      if (found.length === 0) return undefined;
      const [{ allocation: first }] = found;
      const weights = first.weights.map(
        (_, i) => found.reduce((sum, { allocation }) => sum + allocation.weights[i], 0) / found.length,
      );
      const without = absent.length === 0 ? '' : `; not trained: ${absent.join(', ')}`;
      const notes = [`equal parts of ${found.map((one) => one.id).join(', ')}${without}`];
      return { ...first, weights, notes, kkt: undefined };
    },
  };
}
