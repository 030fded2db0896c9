import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { languageScorer as scorerOf, languageScorerId } from '../advisor/reader.ts';
import type { TextScorer } from '../../learning/text/scorer.ts';
import { providersOf, purseOf } from './advisor-context.ts';
import type { CommandContext } from './command.ts';

const ready = (context: CommandContext) => providersOf(context).filter((entry) => entry.state === 'ready');

/** The language models that can score texts here. */
export const languageScorers = (context: CommandContext) =>
  ready(context).map((provider) => ({
    id: languageScorerId(provider),
    about: `the language model ${provider.settings.model} of ${provider.id}: new texts alone, at a cost`,
  }));

/** The scorer called `id` where it is a language model, `llm-<provider>` for short; `undefined` for other scorers. */
export async function languageScorer(context: CommandContext, id: string): Promise<TextScorer | undefined> {
  if (!id.startsWith('llm-')) return undefined;
  const { config } = context;
  const providers = ready(context);
  const provider = providers.find((one) => languageScorerId(one) === id || `llm-${one.id}` === id);
  if (provider === undefined)
    throw new UserError(`No language model scores texts as "${id}".`, {
      hint: `${suggest(id, providers.map(languageScorerId))} See crypto-trader advisor providers.`,
    });
  const { retries, mostOutputTokens } = config.advisor;
  return scorerOf(provider, { dataDir: config.dataDir, purse: purseOf(context), retries, mostOutputTokens });
}
