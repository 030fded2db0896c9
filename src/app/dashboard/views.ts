import type { ViewId } from './controls.ts';
import type { Pane } from './pane.ts';
import { jobsPane } from './panes/jobs.ts';
import { liveOrdersPane, livePane, livePositionsPane } from './panes/live.ts';
import { logPane, logsPane } from './panes/logs.ts';
import { chartPane, symbolsPane } from './panes/markets.ts';
import { membersPane, reliabilityPane, runsPane, validationPane } from './panes/models.ts';
import { equityPane, positionsPane, reasonsPane, signalsPane } from './panes/overview.ts';
import { correlationPane, weightsPane } from './panes/portfolio.ts';
import { gaugesPane, rulesPane, verdictsPane } from './panes/risk.ts';
import { studiesPane, trialsPane, workersPane } from './panes/studies.ts';
import { tradesPane, whyPane } from './panes/trades.ts';
import { curvesPane, runningPane, trainingPane } from './panes/training.ts';
import type { Detail } from './watch.ts';

export interface View {
  readonly id: ViewId;
  /** What is pressed to see it. */
  readonly key: string;
  readonly title: string;
  /** Where the menu has little room. */
  readonly short: string;
  readonly panes: readonly Pane[];
  /** How many of the panes stand in the left of two stacks, where there is room for two. */
  readonly left: number;
  /** What it shows that is not read for every view. */
  readonly details: readonly Detail[];
}

const view = (
  key: string,
  id: ViewId,
  title: string,
  panes: readonly Pane[],
  {
    left = panes.length,
    details = [],
    short = title,
  }: Partial<Pick<View, 'left' | 'details' | 'short'>> = {},
): View => ({ id, key, title, short, panes, left, details });

export const VIEWS: readonly View[] = [
  view(
    '1',
    'overview',
    'Overview',
    [equityPane, positionsPane, runningPane, signalsPane, reasonsPane, logPane],
    {
      left: 3,
    },
  ),
  view('2', 'markets', 'Markets', [chartPane, symbolsPane], { details: ['markets'] }),
  view('3', 'models', 'Models', [runsPane, membersPane], { details: ['runs', 'record'] }),
  view('4', 'training', 'Training', [trainingPane, curvesPane], { short: 'Train' }),
  view('5', 'trades', 'Trades', [tradesPane, whyPane], { details: ['trades'] }),
  view('6', 'risk', 'Risk', [gaugesPane, rulesPane, verdictsPane], { details: ['risk'] }),
  view('7', 'portfolio', 'Portfolio', [weightsPane, correlationPane], {
    details: ['markets'],
    short: 'Assets',
  }),
  view('8', 'jobs', 'Jobs', [jobsPane], { details: ['jobs'] }),
  view('9', 'logs', 'Logs', [logsPane]),
  view('v', 'validation', 'Validation', [validationPane, reliabilityPane, signalsPane], {
    details: ['runs', 'record'],
  }),
  view('t', 'studies', 'Studies', [studiesPane, trialsPane, workersPane], { details: ['studies'] }),
  view('e', 'live', 'Live', [livePane, livePositionsPane, liveOrdersPane], { details: ['live'] }),
];

export const viewNamed = (id: ViewId): View => VIEWS.find((one) => one.id === id) ?? VIEWS[0];
