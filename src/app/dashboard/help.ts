import { VIEWS } from './views.ts';

/** What `?` shows. */
export const HELP: readonly string[] = [
  'This shows what `paper`, `train` and `serve` write to disk. It changes nothing and',
  'can be opened and closed at any time, several times at once.',
  '',
  `${VIEWS.filter(({ key }) => /\d/.test(key))
    .map(({ key, title }) => `${key} ${title}`)
    .join('  ')}`,
  'v   t   e            validation of the active run; studies and their workers; live trading',
  'left / right         previous / next view',
  'tab, shift-tab       next / previous pane; the one in focus gets the most room',
  'up / down, j / k     choose in a list, else scroll; page up / down, g, G: further',
  'p                    pause: the screen stands still',
  '?  esc               this help; close it',
  'q                    quit',
  '',
  'Markets   [ ] symbol   + - zoom   , . older, newer bars   ▲ bought   ▼ sold',
  'Trades    s sort   r reverse   / filter (symbol, side, exit, won, lost)',
  'Logs      l level   / filter   f follow the newest line',
  '',
  'next open: the target decided at the last close, for the open of the next bar.',
  'trial: what an agent in training returned on the validation bars.',
  'STALE: the exchange or the paper session is late; see the log.',
];
