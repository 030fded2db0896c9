import { linearModel } from '../../learners/tabular/linear-model.ts';

/** The probability of a rise as a logistic function of the features: what every classifier has to beat. */
export const logistic = linearModel(
  {
    id: 'logistic',
    summary: 'logistic regression on catalogue features',
    source: 'Cox 1958; L2 penalty, Newton iterations',
  },
  'logistic',
);
