import { PRESET_HELP, presetOf } from '../../learning/ensemble/presets.ts';
import { chooseEnsemble, ensembles } from '../../learning/ensemble/registry.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { chooseStrategy, findStrategy, strategies } from '../../core/strategy/registry.ts';
import { type CommandContext, oneOf } from './command.ts';

/** For the help of commands with `--strategy`. */
export const STRATEGY_HELP = `what decides on the forecasts: ${strategies.map(({ id }) => id).join(', ')}, or one of yours (default: strategy.name)`;

/**
 * The strategy that a command decides by, with its parameters from the settings: the one that was named, else that of the
 * settings. `isSet`: somebody chose it or set its parameters; else it is only the default. Throws `UserError` for names and parameters that
 * do not exist.
 */
export function strategySetting(
  { config, settings }: CommandContext,
  named: string | undefined,
  { strategies: known }: Registry,
) {
  for (const id of Object.keys(config.strategies)) findStrategy(id, known);
  const id =
    named === undefined
      ? config.strategy.name
      : oneOf(
          '--strategy',
          named,
          known.map((strategy) => strategy.id),
        );
  const { sizing } = config;
  const params = { ...(sizing && { sizing }), ...config.strategies[id] };
  const chosen = chooseStrategy(id, params, known);
  const configured = settings.some(
    ({ path, origin }) =>
      origin !== 'default' &&
      (path === 'strategy.name' ||
        path.startsWith('sizing') ||
        (path === 'strategies' && Object.hasOwn(config.strategies, id))),
  );
  return { ...chosen, isSet: named !== undefined || configured };
}

/** For the help of commands with `--ensemble`. */
export const ENSEMBLE_HELP = `how forecasts become one: ${ensembles.map(({ id }) => id).join(', ')}; ${PRESET_HELP} (default: ensemble.name)`;

/** How a command combines forecasts, as `strategySetting` says for strategies. */
export function ensembleSetting({ config, settings }: CommandContext, named: string | undefined) {
  for (const id of Object.keys(config.ensembles)) chooseEnsemble(id, {});
  const id =
    named === undefined
      ? config.ensemble.name
      : presetOf(named, {}) === undefined
        ? oneOf(
            '--ensemble',
            named,
            ensembles.map((one) => one.id),
          )
        : named;
  const configured = settings.some(
    ({ path, origin }) =>
      origin !== 'default' && (path === 'ensemble.name' || path.startsWith(`ensembles.${id}`)),
  );
  return { ...chooseEnsemble(id, config.ensembles[id] ?? {}), isSet: named !== undefined || configured };
}
