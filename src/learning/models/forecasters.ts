import type { Model } from '../../core/forecast/model.ts';
import { classicalModels } from './classical.ts';
import { lstmCnn } from './lstm-cnn/index.ts';
import { tft } from './tft/index.ts';

/** Models whose forecasts an agent may see: each is refitted as time goes on, a network from its weights before. */
export const forecasters: readonly Model[] = [...classicalModels, tft, lstmCnn];

/** What an agent sees of them that is trained in `--mode quick`; the default. */
export const SEEN_IN_QUICK: readonly string[] = ['momentum-garch', 'logistic', 'ridge'];
export const SEEN_IN_FULL: readonly string[] = [...SEEN_IN_QUICK, 'tft', 'lstm-cnn'];
