/** `import { checkModel } from 'crypto-trader/testing'`: what a model or a source promises, as functions that try it. */
export { checkModel } from './check-model.ts';
export { checkSource } from './check-source.ts';
export type { Verdict } from './verdict.ts';
