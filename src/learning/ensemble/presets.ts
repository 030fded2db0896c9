import type { EnsembleMembers } from './method.ts';

/** Short names of models in the name of a preset. */
const SHORT: Readonly<Record<string, string>> = { trees: 'boosted-trees', forest: 'random-forest' };

/** What may stand where the name of a way of combining does, for help. */
export const PRESET_HELP = 'all, seeds, models joined by + such as lstm+trees+forest or gru+ridge';

export interface Preset {
  readonly summary: string;
  readonly members: EnsembleMembers;
  /** The way of combining, and its parameters. */
  readonly by: string;
  readonly own: Readonly<Record<string, unknown>>;
  /** Parameters of the preset itself, to choose it again with. */
  readonly named: Readonly<Record<string, unknown>>;
}

/**
 * An ensemble named by its members: `all` learned models, those without skill too; `seeds` of one model (`model`, default
 * lstm); or models by name, joined by `+`. They are combined `by` any way (default: equally), whose parameters stand
 * beside it. `undefined`: no such name.
 */
export function presetOf(
  id: string,
  { by, model, ...own }: Readonly<Record<string, unknown>>,
): Preset | undefined {
  const how = { by: nameOf(by, 'equal'), own };
  if (id === 'all') {
    return {
      ...how,
      summary: 'every learned model of the run, those without skill too',
      members: { unskilled: true },
      named: { by: how.by },
    };
  }
  if (id === 'seeds') {
    const of = nameOf(model, 'lstm');
    return {
      ...how,
      summary: `${of} as it came out of every seed that it was trained from`,
      members: { unskilled: true, models: [of], allSeeds: true },
      named: { by: how.by, model: of },
    };
  }
  if (!id.includes('+')) return undefined;
  const models = [...new Set(id.split('+').map((name) => SHORT[name] ?? name))];
  const summary = `${models.join(', ')} together`;
  return { ...how, summary, members: { unskilled: true, models }, named: { by: how.by } };
}

/** What is no name is refused where it is looked up. */
const nameOf = (value: unknown, otherwise: string): string =>
  value === undefined ? otherwise : typeof value === 'string' ? value : JSON.stringify(value);
