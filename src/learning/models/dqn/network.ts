import type { Parameter } from '../../engine/network.ts';
import { mlpParameters, type MlpShape } from '../../learners/agent/mlp.ts';
import type { DqnParams } from './params.ts';

export type QShape = Pick<DqnParams, 'netArch' | 'dueling'>;

/** With dueling heads, output 0 is the state's value and the rest are the advantages. */
export const qShape = (inputs: number, actionCount: number, params: QShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: actionCount + (params.dueling ? 1 : 0),
  activation: 'relu',
});

export const qParameters = (inputs: number, actionCount: number, params: QShape): readonly Parameter[] =>
  mlpParameters('q', qShape(inputs, actionCount, params));

/** Where the numbers that rank the actions start among the outputs. */
export const rankedFrom = ({ dueling }: Pick<QShape, 'dueling'>): number => (dueling ? 1 : 0);
