import { render } from 'preact';
import { lazy, Suspense } from 'preact/compat';
import { token } from './api.ts';
import { follow } from './live.ts';
import { Dashboard } from './pages/dashboard.tsx';
import { route } from './router.ts';
import { Door, Shell } from './shell.tsx';
import './style.css';

const LATER = {
  markets: lazy(() => import('./pages/markets.tsx')),
  training: lazy(() => import('./pages/training.tsx')),
  predictions: lazy(() => import('./pages/predictions.tsx')),
  backtests: lazy(() => import('./pages/backtests.tsx')),
  portfolio: lazy(() => import('./pages/portfolio.tsx')),
  texts: lazy(() => import('./pages/texts.tsx')),
  advisor: lazy(() => import('./pages/advisor.tsx')),
  paper: lazy(() => import('./pages/paper.tsx')),
  live: lazy(() => import('./pages/live-trading.tsx')),
  jobs: lazy(() => import('./pages/jobs.tsx')),
  settings: lazy(() => import('./pages/settings.tsx')),
  api: lazy(() => import('./pages/api.tsx')),
};

function App() {
  if (token.value === '') return <Door />;
  const [page] = route.value;
  const Later = Object.hasOwn(LATER, page) ? LATER[page as keyof typeof LATER] : undefined;
  return (
    <Shell>
      <Suspense fallback={<p class="muted">…</p>}>{Later === undefined ? <Dashboard /> : <Later />}</Suspense>
    </Shell>
  );
}

follow();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
