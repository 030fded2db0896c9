import { duration } from '../../core/foundation/duration.ts';
import { amount, minute, percent, price, signed } from './format.ts';
import { bold, columns, dim, gain, type Line, plain, type Span } from './lines.ts';
import { sparkline } from './sparkline.ts';
import type { DashboardView, ModelTraining, PositionView, SignalView } from './view.ts';

export type PaneId = 'equity' | 'positions' | 'signals' | 'training' | 'log';

export interface Pane {
  readonly id: PaneId;
  readonly title: string;
  /** Rows it is not shown without, below its title. */
  readonly least: number;
  /** Where a pane that cannot show everything starts: at its first line, or so that its last one shows. */
  readonly anchor: 'top' | 'bottom';
  lines(view: DashboardView, size: { readonly width: number; readonly rows: number }): readonly Line[];
}

export const PANES: readonly Pane[] = [
  { id: 'equity', title: 'Equity', least: 2, anchor: 'top', lines: equityLines },
  { id: 'positions', title: 'Positions', least: 2, anchor: 'top', lines: positionLines },
  {
    id: 'signals',
    title: 'Signals at the last close (confidence)',
    least: 2,
    anchor: 'top',
    lines: signalLines,
  },
  { id: 'training', title: 'Training', least: 1, anchor: 'top', lines: trainingLines },
  { id: 'log', title: 'Log', least: 1, anchor: 'bottom', lines: logLines },
];

const NO_SESSION = 'No paper session yet: run `crypto-trader paper`.';
const CURVE_ROWS = 6;

function equityLines(
  { session }: DashboardView,
  { width, rows }: { readonly width: number; readonly rows: number },
): readonly Line[] {
  if (session === undefined) return [[dim(NO_SESSION)]];
  const { equity, changePct, drawdownPct, maxDrawdownPct, cash, closedTrades, winningTrades } = session;
  const figures: Line = [
    bold(price(equity)),
    plain(' '),
    gain(changePct, percent(changePct)),
    dim('  drawdown '),
    plain(`${drawdownPct.toFixed(2)} %`),
    dim(` (worst ${maxDrawdownPct.toFixed(2)} %)`),
    dim('  cash '),
    plain(price(cash)),
    dim(`  won ${winningTrades} of ${closedTrades}`),
  ];
  const curve = sparkline(session.equityCurve, width, Math.max(1, Math.min(CURVE_ROWS, rows - 1)));
  return [figures, ...curve.map((text): Line => [{ text, colour: changePct < 0 ? 'red' : 'green' }])];
}

function positionLines({ session, positions }: DashboardView): readonly Line[] {
  if (session === undefined) return [[dim(NO_SESSION)]];
  if (positions.length === 0) return [[dim('Waiting for the first closed bar.')]];
  const head = ['symbol', 'side', 'amount', 'entry', 'last', 'unrealised', '', 'stop', 'target', 'next open'];
  return columns([head.map(dim), ...positions.map(positionCells)]);
}

function positionCells(position: PositionView): readonly Span[] {
  const known = (value: number | undefined): Span => plain(value === undefined ? '' : price(value));
  const { unrealizedPnl: pnl, unrealizedPct: pct, pendingTarget } = position;
  return [
    bold(position.symbol),
    plain(position.side),
    plain(position.side === 'flat' ? '' : amount(position.baseAmount)),
    known(position.entryPrice),
    known(position.markPrice),
    pnl === undefined ? plain('') : gain(pnl, signed(pnl)),
    pct === undefined ? plain('') : gain(pct, percent(pct)),
    known(position.stopPrice),
    known(position.takePrice),
    pendingTarget === undefined ? plain('') : { text: target(pendingTarget), colour: 'cyan' },
  ];
}

function signalLines({ session, signals }: DashboardView): readonly Line[] {
  if (session === undefined) return [[dim(NO_SESSION)]];
  const [first] = signals;
  if (first === undefined) return [[dim('Waiting for the first closed bar.')]];
  const head = [dim('model'), ...first.bySymbol.map(({ symbol }) => dim(symbol))];
  const order = signals.toSorted((a, b) => Number(b.model === 'ensemble') - Number(a.model === 'ensemble'));
  return columns([head, ...order.map(signalCells)]);
}

function signalCells({ model, noSkill, bySymbol }: SignalView): readonly Span[] {
  return [
    model === 'ensemble' ? bold(model) : plain(noSkill ? `${model} (no skill)` : model),
    ...bySymbol.map(({ position, confidence }) => {
      if (position === undefined) return dim('no opinion');
      const sure = confidence === undefined ? '' : ` (${Math.round(100 * confidence)} %)`;
      return gain(position, `${target(position)}${sure}`);
    }),
  ];
}

/** `long 50 %`, `flat`, `short 100 %`. */
function target(position: number): string {
  const share = Math.round(100 * Math.abs(position));
  return share === 0 ? 'flat' : `${position > 0 ? 'long' : 'short'} ${share} %`;
}

const BAR_CELLS = 12;

function trainingLines({ training }: DashboardView): readonly Line[] {
  if (training === undefined) return [[dim('No training run yet: run `crypto-trader train`.')]];
  const rank = (model: ModelTraining): number => (model.status === 'running' ? 0 : 1);
  const runningFirst = training.models.toSorted((a, b) => rank(a) - rank(b));
  return columns(runningFirst.map(trainingCells));
}

function trainingCells(model: ModelTraining): readonly Span[] {
  const figure = (name: string, value: number | undefined): Span =>
    plain(value === undefined ? '' : `${name} ${value.toPrecision(4)}`);
  const { step, steps = 0, samplesPerSecond, trialPct, bestTrialPct } = model;
  const done = model.status === 'finished' ? 1 : steps > 0 && step !== undefined ? step / steps : 0;
  const filled = Math.round(Math.min(1, done) * BAR_CELLS);
  return [
    bold(model.model),
    plain(`${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}`),
    state(model),
    figure('loss', model.loss),
    trialPct === undefined
      ? figure('validation', model.validationLoss)
      : plain(
          `trial ${percent(trialPct)}${bestTrialPct === undefined ? '' : `, best ${percent(bestTrialPct)}`}`,
        ),
    plain(samplesPerSecond === undefined ? '' : `${Math.round(samplesPerSecond)} samples/s`),
  ];
}

function state({ status, step, steps, seconds, etaSeconds, reason, noSkill }: ModelTraining): Span {
  switch (status) {
    case 'waiting':
      return dim('waiting');
    case 'running': {
      const left = etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} left`;
      return { text: steps === undefined ? 'running' : `${step}/${steps}${left}`, colour: 'cyan' };
    }
    case 'finished':
      return {
        text: `${seconds === undefined ? 'done' : `done in ${duration(seconds)}`}${noSkill === undefined ? '' : ', no skill'}`,
        colour: noSkill === undefined ? 'green' : 'yellow',
      };
    case 'skipped':
      return { text: reason === undefined ? 'skipped' : `skipped: ${reason}`, colour: 'yellow' };
    case 'stopped':
      return { text: 'stopped', colour: 'yellow' };
  }
}

const LEVEL_COLOUR = { error: 'red', warn: 'yellow', info: undefined, debug: undefined } as const;

function logLines({ log }: DashboardView): readonly Line[] {
  if (log.length === 0) return [[dim('The log is empty.')]];
  return log.map(({ time, level, message }) => {
    const colour = LEVEL_COLOUR[level];
    return [dim(`${minute(time)} `), { text: `${level} ${message}`, ...(colour && { colour }) }];
  });
}
