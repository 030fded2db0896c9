import { linearModel } from '../../learners/tabular/linear-model.ts';

/** The expected return as a linear function of the features: what every regressor has to beat. */
export const ridge = linearModel(
  {
    id: 'ridge',
    summary: 'ridge regression of the next return on catalogue features',
    source: 'Hoerl and Kennard 1970',
  },
  'least-squares',
);
