import { giveWay } from '../../data/turns.ts';
import { calendar } from './checks/calendar.ts';
import { series, universe } from './checks/data.ts';
import {
  plantedLeak,
  purge,
  randomWalk,
  reproduction,
  scalers,
  seeds,
  shuffledLabels,
  validationLabels,
} from './checks/fits.ts';
import { bestTrades, capacity, fills, lag, noise, stress, subPeriods } from './checks/trading.ts';
import { ensemble, features, forecasts, strategy } from './checks/truncation.ts';
import type { Finding, Outcome } from './finding.ts';
import { createRefits, type Refits } from './refits.ts';
import type { Subject } from './subject.ts';
import { type Traded, tradeSubject } from './traded.ts';

interface Material {
  readonly subject: Subject;
  readonly refits: Refits;
  readonly traded: Traded;
}

type Check = (material: Material) => Promise<Outcome>;

const ofSubject =
  (check: (subject: Subject) => Promise<Outcome>): Check =>
  ({ subject }) =>
    check(subject);
const ofFits =
  (check: (subject: Subject, refits: Refits) => Promise<Outcome>): Check =>
  ({ subject, refits }) =>
    check(subject, refits);
const ofTrading =
  (check: (traded: Traded) => Promise<Outcome>): Check =>
  ({ traded }) =>
    check(traded);

/** Every check by name, in the order in which they are tried: what is quick and certain first. */
export const CHECKS: Readonly<Record<string, { readonly asks: string; readonly run: Check }>> = {
  features: { asks: 'Does a feature look ahead?', run: ofSubject(features) },
  series: { asks: 'Is a series known too early?', run: ofSubject(series) },
  forecasts: { asks: 'Does a model, or its scaler, look ahead?', run: ofSubject(forecasts) },
  calendar: { asks: 'Does a model know what happened on which date?', run: ofSubject(calendar) },
  ensemble: { asks: 'Were weights of the ensemble chosen on test bars?', run: ofSubject(ensemble) },
  strategy: { asks: 'Were thresholds chosen on test bars?', run: ofSubject(strategy) },
  fills: { asks: 'Is every decision filled at the open of the next bar?', run: ofTrading(fills) },
  universe: { asks: 'Were the pairs chosen because they survived?', run: ofSubject(universe) },
  reproduction: { asks: 'Were models fitted on the bars that they name?', run: ofFits(reproduction) },
  scalers: { asks: 'Do inputs after the end of training change what is learned?', run: ofFits(scalers) },
  purge: { asks: 'Do labels reach past the end of training?', run: ofFits(purge) },
  'validation-labels': {
    asks: 'Does a model know the returns that it was validated on?',
    run: ofFits(validationLabels),
  },
  'shuffled-labels': { asks: 'Is something found where nothing is?', run: ofFits(shuffledLabels) },
  'random-walk': { asks: 'Is something found on random walks?', run: ofFits(randomWalk) },
  'planted-leak': { asks: 'Would this audit see the future if it were there?', run: ofFits(plantedLeak) },
  seeds: { asks: 'Is the best of several seeds shown?', run: ofFits(seeds) },
  lag: { asks: 'What if decisions come a bar later?', run: ofTrading(lag) },
  stress: { asks: 'What if trading costs more, or comes late?', run: ofTrading(stress) },
  'best-trades': { asks: 'Is it a few trades, or days?', run: ofTrading(bestTrades) },
  'sub-periods': { asks: 'Is it one period?', run: ofTrading(subPeriods) },
  noise: { asks: 'What if prices had been a little others?', run: ofTrading(noise) },
  capacity: { asks: 'How much capital does it carry?', run: ofTrading(capacity) },
};

export interface AuditOptions {
  /** Names of the checks to make; default: all. */
  readonly checks?: readonly string[];
  /** Models whose fit took longer are not fitted again; default: 30. */
  readonly mostFitSeconds?: number;
  readonly onFinding?: (finding: Finding) => void;
  /** Before each check, and before each fit within it: how many of how many checks are made, and what is done now. */
  readonly onProgress?: (done: number, total: number, now: string) => void;
}

/** Tries to prove a result wrong. Throws `signal.reason` of the subject when aborted. */
export async function audit(subject: Subject, options: AuditOptions = {}): Promise<readonly Finding[]> {
  const { checks = Object.keys(CHECKS), mostFitSeconds = 30, onFinding, onProgress } = options;
  const wanted = Object.entries(CHECKS).filter(([check]) => checks.includes(check));
  const findings: Finding[] = [];
  const report = (now: string): void => onProgress?.(findings.length, wanted.length, now);
  report('trading');
  const refits = createRefits(subject, {
    mostSeconds: mostFitSeconds,
    onFit: (id) => report(`${wanted[findings.length][0]} fits ${id}`),
  });
  const traded = await tradeSubject(subject);
  for (const [check, { run }] of wanted) {
    report(check);
    await giveWay(subject.signal);
    const finding = { check, ...(await run({ subject, refits, traded })) };
    findings.push(finding);
    onFinding?.(finding);
  }
  report('all checks made');
  return findings;
}
