import type { Edges } from '../../lab/backtest/decide.ts';
import { shrinkage } from '../../core/strategy/edge.ts';
import { less, prose } from './table.ts';

export const EDGE_HEAD = ['forecaster', 'skill slope (99 % CI)', less('samples'), prose('what it means')];

/** What each forecaster's statements were worth where its decisions began; 1 is an honest forecaster. */
export const edgeRows = (edges: Edges): string[][] =>
  Object.entries(edges).map(([name, edge]) => {
    if (edge === undefined) return [name, '-', '-', 'states no return that could be measured: stays flat'];
    const { slope, low, high, samples } = edge;
    const share = shrinkage(edge);
    return [
      name,
      `${slope.toFixed(2)} (${low.toFixed(2)} .. ${high.toFixed(2)})`,
      String(samples),
      share === 0
        ? 'no skill beyond doubt: stays flat'
        : `${(100 * share).toFixed(0)} % of what it states counts`,
    ];
  });
