import { forwardReturns } from '../../../core/dataset/labels.ts';
import { type Panel, selectFeatures } from '../../../core/dataset/panel.ts';
import type { Span } from '../../../core/dataset/splits.ts';
import { deriveSeed } from '../../../core/foundation/random.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { failed, type Outcome, passed, skipped, warned } from '../finding.ts';
import { difference } from './truncation.ts';
import { randomWalks, shuffledCandles, withCandles } from '../markets.ts';
import type { Refits, Refitted } from '../refits.ts';
import { MOST_SCORE, skillAhead, skillOf, skillText } from '../skill.ts';
import type { AuditedMember, Subject } from '../subject.ts';

/** Fitted again from what its run says, a model must have the weights that it has, and forecast what the result shows. */
export async function reproduction({ panel }: Subject, refits: Refits): Promise<Outcome> {
  return overMembers(refits, async (member) => {
    const { weightHash, fitted } = await refits.again(member);
    const why = 'it was not fitted on the bars that its run names, or not from this seed.';
    if (weightHash !== member.weightHash)
      return `"${member.id}" fitted again has other weights (${weightHash.slice(0, 8)}, kept are ${member.weightHash.slice(0, 8)}): ${why}`;
    const { shown } = member;
    if (shown === undefined) return undefined;
    const own = selectFeatures(panel, member.model.features(member.params));
    const forecasts = await fitted.forecast(own, { sinceMs: shown.fromMs });
    const wrong = difference(own, forecasts, shown.forecasts, shown.fromMs);
    return wrong && `"${member.id}" fitted again forecasts ${wrong} otherwise than it is shown: ${why}`;
  });
}

/** What is learned, scalers included, must not change when the inputs of later bars do. */
export async function scalers(subject: Subject, refits: Refits): Promise<Outcome> {
  const panel = withOtherInputs(subject.panel, subject.trainUntilMs);
  return overMembers(refits, async (member) => {
    if (member.model.features(member.params).length === 0) return undefined;
    return learnsElse(await refits.again(member), await refits.on(member, panel))
      ? `"${member.id}" learns something else when the inputs after the end of training are others: a scaler or the training itself sees them.`
      : undefined;
  });
}

/** ... nor when the prices of later bars do: a label that reaches past the end of training is one of them. */
export async function purge(subject: Subject, refits: Refits): Promise<Outcome> {
  const panel = await otherPrices(subject);
  return overMembers(refits, async (member) =>
    learnsElse(await refits.again(member), await refits.on(member, panel))
      ? `"${member.id}" learns something else when prices after the end of training are others: labels overlap it, and nothing purges them.`
      : undefined,
  );
}

/** A model must know no more of the returns it was validated on than one that was validated on others. */
export async function validationLabels(subject: Subject, refits: Refits): Promise<Outcome> {
  const panel = await otherPrices(subject);
  const span = { fromMs: subject.trainUntilMs, untilMs: subject.validateUntilMs };
  return overMembers(refits, async (member) => {
    const untied = await refits.on(member, panel);
    const own = selectFeatures(subject.panel, member.model.features(member.params));
    if (untied === undefined) return undefined;
    const [known, control] = [await member.fitted.forecast(own), await untied.fitted.forecast(own)];
    const ahead = skillAhead(own, known, control, span);
    return ahead !== undefined && ahead.score > MOST_SCORE
      ? `"${member.id}" knows the returns that it was validated on: where it says otherwise than a fit that was validated on others, it is right in ${skillText(ahead)}.`
      : undefined;
  });
}

/** Bars in another order: what features say has nothing to do with what follows, and nothing must be found. */
export const shuffledLabels = async (subject: Subject, refits: Refits): Promise<Outcome> =>
  findsNothing(
    subject,
    refits,
    withCandles(subject.panel, shuffledCandles(subject.panel, -Infinity, subject.setting.seed)),
    'bars in a random order, with the features of the real ones',
  );

/** Random walks: whoever finds something there sees the future. */
export const randomWalk = async (subject: Subject, refits: Refits): Promise<Outcome> =>
  findsNothing(
    subject,
    refits,
    await subject.panelOf(randomWalks(subject.panel, subject.setting.seed)),
    'random walks with the same volatility',
  );

/** The return that is to be forecast, among the inputs: an audit that does not see it would see nothing. */
export async function plantedLeak(subject: Subject, refits: Refits): Promise<Outcome> {
  const member = refits.tried.find(({ model }) => model.readsRows === true);
  if (member === undefined) return skipped('No model here reads one row of features at a time.');
  const names = member.model.features(member.params);
  const own = selectFeatures(subject.panel, names);
  const [{ horizonBars }] = await member.fitted.forecast(own);
  const told: Panel = {
    timeframe: own.timeframe,
    series: own.series.map((one) => ({
      ...one,
      features: {
        names,
        columns: one.features.columns.map((column, f) =>
          f === 0 ? forwardReturns(one.candles, own.timeframe, horizonBars) : column,
        ),
      },
    })),
  };
  const fitted = await refits.on(member, told);
  const skill = fitted && skillOf(told, await fitted.fitted.forecast(told), testSpan(subject));
  if (skill === undefined || skill.mostScore < MOST_SCORE + 1)
    return warned('The test bars are too few: even who is always right could not be told from chance.');
  return skill.score > MOST_SCORE
    ? passed(`"${member.id}" with the future among its inputs is found out: ${skillText(skill)}.`)
    : failed(
        `"${member.id}" was given the future as an input and no check of skill sees it: the other findings prove nothing.`,
        skillText(skill),
      );
}

/** Other seeds of the same models: a result that only one seed shows is luck, and the best of many is no result. */
export async function seeds(subject: Subject, refits: Refits, others = 4): Promise<Outcome> {
  const picked = subject.members.flatMap((member) => pickedSeed(subject, member) ?? []);
  if (picked.length > 0) return failed(picked.join(' '));
  const stochastic = refits.tried.filter(({ model }) => model.stochastic === true);
  if (stochastic.length === 0) return skipped('No model that was fitted again draws random numbers.');
  const notes: string[] = [];
  for (const member of stochastic) {
    const own = selectFeatures(subject.panel, member.model.features(member.params));
    const shown = skillOf(own, await member.fitted.forecast(own), testSpan(subject))?.score;
    const scores: number[] = [];
    for (let k = 0; k < others; k++) {
      const seed = deriveSeed(member.seed, `audit ${k}`);
      const fitted = await refits.on(member, subject.panel, seed);
      const skill = fitted && skillOf(own, await fitted.fitted.forecast(own), testSpan(subject));
      if (skill !== undefined) scores.push(skill.score);
    }
    if (shown === undefined || scores.length < others) continue;
    const mean = scores.reduce((sum, value) => sum + value, 0) / others;
    const spread = Math.sqrt(scores.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (others - 1));
    const distance = (shown - mean) / (Math.max(spread, 0.25) * Math.sqrt(1 + 1 / others));
    if (distance > T_995) {
      return failed(
        `"${member.id}" has a score of ${shown.toFixed(1)}, ${others} other seeds have ${scores.map((value) => value.toFixed(1)).join(', ')}: the seed was chosen by the result.`,
        `${distance.toFixed(1)} deviations`,
      );
    }
    notes.push(`${member.id} ${shown.toFixed(1)} (${mean.toFixed(1)} +- ${spread.toFixed(1)})`);
  }
  return passed(`Other seeds do as well: ${notes.join(', ')}.`, `${others} seeds each`);
}

/** Of Student's t with three degrees of freedom: one in 200. */
const T_995 = 5.84;

/** The ledger knows other seeds, the one that is shown is the best of them, and nobody says that there were several. */
function pickedSeed({ trials, seedsShown }: Subject, { id, seed }: AuditedMember): string | undefined {
  const bySeed = new Map(
    trials.flatMap((trial) =>
      trial.strategy === id && trial.seed !== undefined && trial.barSharpe !== undefined
        ? [[trial.seed, trial.barSharpe] as const]
        : [],
    ),
  );
  const own = bySeed.get(seed);
  if (own === undefined || bySeed.size < 4 || seedsShown > 1) return undefined;
  const best = [...bySeed.values()].every((ratio) => ratio <= own);
  return best
    ? `"${id}" was tried from ${bySeed.size} seeds and the best of them is shown: show all of them with \`train --seeds\`.`
    : undefined;
}

const testSpan = ({ validateUntilMs }: Subject): Span => ({ fromMs: validateUntilMs, untilMs: Infinity });

async function findsNothing(subject: Subject, refits: Refits, panel: Panel, where: string): Promise<Outcome> {
  let most: { readonly id: string; readonly score: number } | undefined;
  const found = await overMembers(refits, async (member) => {
    const refitted = await refits.on(member, panel);
    if (refitted === undefined) return undefined;
    const own = selectFeatures(panel, member.model.features(member.params));
    const skill = skillOf(own, await refitted.fitted.forecast(own), testSpan(subject));
    if (skill !== undefined && skill.score > (most?.score ?? -Infinity))
      most = { id: member.id, score: skill.score };
    return skill !== undefined && skill.score > MOST_SCORE
      ? `"${member.id}" finds something on ${where}, where nothing is: ${skillText(skill)}.`
      : undefined;
  });
  return found.verdict === 'passed' && most !== undefined
    ? passed(`Nothing is found on ${where}.`, `at most ${most.score.toFixed(1)} standard errors (${most.id})`)
    : found;
}

/** The first accusation, or that there is none; what was too slow to be fitted again is named. */
async function overMembers(
  { tried, tooSlow }: Refits,
  accuse: (member: AuditedMember) => Promise<string | undefined>,
): Promise<Outcome> {
  if (tried.length === 0)
    return skipped(
      tooSlow.length === 0
        ? 'No model here learns anything.'
        : `No model is fitted fast enough to be fitted again: ${named(tooSlow)}.`,
    );
  for (const member of tried) {
    const accusation = await accuse(member);
    if (accusation !== undefined) return failed(accusation, member.id);
  }
  return tooSlow.length === 0
    ? passed(`Holds for ${named(tried)}.`)
    : warned(`Holds for ${named(tried)}; too slow to be fitted again: ${named(tooSlow)}.`);
}

const named = (members: readonly AuditedMember[]): string => members.map(({ id }) => id).join(', ');

/** Weights must be equal; of models that stop early by validation bars, the losses before they first look at them. */
function learnsElse(one: Refitted, other: Refitted | undefined): boolean {
  if (other === undefined) return false;
  if (one.member.model.usesValidation !== true) return one.weightHash !== other.weightHash;
  const steps = Math.min(one.losses.length, other.losses.length);
  return one.losses.slice(0, steps).some((loss, i) => loss !== other.losses[i]);
}

/** Inputs after `fromMs` three times as large and the other way round. */
const withOtherInputs = (panel: Panel, fromMs: number): Panel => ({
  timeframe: panel.timeframe,
  series: panel.series.map((one) => {
    const first = lowerBound(one.candles.time, fromMs);
    const columns = one.features.columns.map((column) =>
      column.map((value, row) => (row < first ? value : 1 - 3 * value)),
    );
    return { ...one, features: { names: one.features.names, columns } };
  }),
});

/** Bars after the end of training in another order, under the features of the real ones. */
const otherPrices = async (subject: Subject): Promise<Panel> =>
  withCandles(
    subject.panel,
    shuffledCandles(subject.panel, subject.trainUntilMs, deriveSeed(subject.setting.seed, 'other prices')),
  );
