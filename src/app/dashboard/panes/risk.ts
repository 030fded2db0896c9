import { bar, minute, price } from '../format.ts';
import { bold, dim, type Line, plain, type Span, table, warn } from '../lines.ts';
import { NO_SESSION, type Pane } from '../pane.ts';
import type { GaugeView, RiskView } from '../view.ts';

const CONTROL: Readonly<Record<RiskView['control'], string>> = {
  trade: 'trading is on',
  pause: 'PAUSED: nothing is ordered, positions keep their stops',
  flatten: 'FLATTENED: positions are closed at the next open, nothing is ordered after that',
};

export const gaugesPane: Pane = {
  id: 'gauges',
  title: 'Limits',
  least: 3,
  anchor: 'top',
  lines: ({ risk }, room) => {
    if (risk === undefined) return [[dim(NO_SESSION)]];
    const since = risk.controlSince === undefined ? '' : `, since ${minute(risk.controlSince)}`;
    const state: Line = [
      risk.control === 'trade' ? plain(`${CONTROL.trade}${since}`) : warn(`${CONTROL[risk.control]}${since}`),
      dim(risk.pid === undefined ? '  no process runs the session' : `  process ${risk.pid}`),
      ...(risk.killed
        ? [{ text: '  KILL SWITCH: the drawdown limit has closed everything', colour: 'bad' } as const]
        : []),
    ];
    return [
      state,
      ...table(
        ['limit', 'now', '', 'of'],
        risk.gauges.map((gauge) => gaugeCells(gauge, room.spoken)),
        room,
      ),
    ];
  },
};

const GAUGE_CELLS = 24;

function gaugeCells(gauge: GaugeView, spoken: boolean): readonly Span[] {
  const { name, value, limit, unit, kind } = gauge;
  const share = shareOf(gauge);
  const colour = share >= 1 ? ('bad' as const) : share >= 0.8 ? ('warn' as const) : undefined;
  const word = share >= 1 ? (kind === 'ceiling' ? ' REACHED' : ' BELOW') : '';
  return [
    bold(name),
    { text: figure(value, unit), ...(colour && { colour }) },
    { text: limit === undefined || spoken ? '' : bar(share, GAUGE_CELLS), ...(colour && { colour }) },
    limit === undefined ? dim('no limit is set') : plain(`${figure(limit, unit)}${word}`),
  ];
}

/** 1: the limit is reached. */
function shareOf({ value, limit, kind }: GaugeView): number {
  if (limit === undefined) return 0;
  if (kind === 'ceiling') return limit === 0 ? Number(value > 0) : value / limit;
  return value <= 0 ? 1 : limit / value;
}

const figure = (value: number, unit: GaugeView['unit']): string =>
  unit === '%' ? `${value.toFixed(2)} %` : unit === 'quote' ? price(value) : String(value);

export const rulesPane: Pane = {
  id: 'rules',
  title: 'Protections',
  least: 1,
  anchor: 'top',
  lines: ({ risk }) => {
    if (risk === undefined) return [[dim(NO_SESSION)]];
    if (risk.protections.length === 0) return [[dim('None is set: risk.protections in config.yaml.')]];
    return risk.protections.map((text): Line => [plain(text)]);
  },
};

export const verdictsPane: Pane = {
  id: 'verdicts',
  title: ({ risk }) => {
    const counts = risk?.verdicts.map(({ rule, count }) => `${rule} ${count}`) ?? [];
    return `Refused or cut${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
  },
  least: 1,
  anchor: 'top',
  lines: ({ risk }) => {
    if (risk === undefined) return [[dim(NO_SESSION)]];
    if (risk.newest.length === 0) return [[dim('The rules have refused nothing in this session.')]];
    return risk.newest.map(({ time, text }): Line => [dim(`${minute(time)} `), plain(text)]);
  },
};
