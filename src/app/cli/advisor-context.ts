import { readTrained } from '../../learning/training/checkpoints.ts';
import { allSeedsOf } from '../../learning/ensemble/voters.ts';
import { openStore } from '../../data/store/store.ts';
import { listProviders } from '../advisor/providers.ts';
import { projectSources } from '../advisor/sources.ts';
import { openPurse } from '../advisor/spending.ts';
import type { Sources } from '../advisor/tools.ts';
import { executionRules } from '../config/execution.ts';
import { giveSignals } from '../workflows/give-signals.ts';
import { archiveOf } from './backtest-document.ts';
import type { CommandContext } from './command.ts';
import { projectRegistry } from './project-plugins.ts';
import { wantedMarket } from './run-options.ts';
import { ensembleSetting, strategySetting } from './strategy-setting.ts';

/** The providers of the settings, those without their key absent by name. */
export const providersOf = ({ config }: CommandContext) =>
  listProviders(config.advisor.providers, process.env, { timeoutMs: 1000 * config.advisor.timeoutSeconds });

export const purseOf = ({ config }: CommandContext) => openPurse(config.dataDir, config.advisor);

/** What an adviser may look at: the project of the working folder. */
export async function sourcesOf(context: CommandContext): Promise<Sources> {
  const { config, signal } = context;
  const store = openStore(config.dataDir);
  // Keys of providers and exchanges are no business of plug-ins: loading them takes them out of the environment.
  const registry = await projectRegistry(context);
  return projectSources({
    store,
    dataDir: config.dataDir,
    exchange: config.exchange.id,
    timeframe: config.market.timeframe,
    symbols: config.market.symbols,
    inputs: config.features,
    catalogue: registry.features,
    archive: archiveOf(context),
    signal,
    signals: async (untilMs) => {
      const ensemble = ensembleSetting(context, undefined);
      const trained = await readTrained(config.checkpointDir, {
        registry,
        allSeedsOf: allSeedsOf(ensemble.method),
      });
      const { strategy, params } = strategySetting(context, undefined, registry);
      const rules = executionRules(config, trained.symbols.length);
      return giveSignals({
        store,
        dataDir: config.dataDir,
        trained,
        wanted: wantedMarket(context, {}),
        terms: { strategy, params, ensemble, rules, signal },
        // With an end, they are on no record: looking changes nothing.
        untilMs,
        explain: true,
      });
    },
  });
}
