/** `import { checkModel } from 'crypto-trader/testing'`: what a plug-in promises, as functions that try it. */
export { checkModel } from './check-model.ts';
export { checkFeature } from './check-feature.ts';
export { checkStrategy } from './check-strategy.ts';
export { checkNotifier } from './check-notifier.ts';
export { checkSource } from './check-source.ts';
export type { Verdict } from './verdict.ts';
