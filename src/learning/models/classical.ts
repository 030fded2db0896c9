import { boostedTrees } from './boosted-trees/index.ts';
import { logistic } from './logistic/index.ts';
import { meanReversion } from './mean-reversion/index.ts';
import type { Model } from '../../core/forecast/model.ts';
import { momentumGarch } from './momentum-garch/index.ts';
import { randomForest } from './random-forest/index.ts';
import { ridge } from './ridge/index.ts';
import { vectorAutoregression } from './vector-autoregression/index.ts';

/** Models that are fitted in seconds, in the order in which they are trained: those that can be refitted often. */
export const classicalModels: readonly Model[] = [
  momentumGarch,
  meanReversion,
  boostedTrees,
  randomForest,
  logistic,
  ridge,
  vectorAutoregression,
];
