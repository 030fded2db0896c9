import type { Model } from '../../core/forecast/model.ts';
import { quantRules } from '../../core/strategy/quant/registry.ts';
import { quantModel } from '../learners/rules/quant-model.ts';

/** The rules of core/strategy/quant as models, so that they are trained, kept, combined and traded like every other. */
export const quantModels: readonly Model[] = quantRules.map(quantModel);
