import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { useToken } from './api.ts';
import { connected, jobs, view } from './live.ts';
import { isLive } from './parts/jobs.tsx';
import { Text } from './parts/ui.tsx';
import { href, route } from './router.ts';
import { theme } from './theme.ts';

/** Each with a picture of 24 x 24, drawn in lines. */
export const PAGES = [
  { id: '', name: 'Dashboard', icon: 'M4 13h6V4H4zM14 9h6V4h-6zM14 20h6v-8h-6zM4 20h6v-4H4z' },
  { id: 'markets', name: 'Markets', icon: 'M7 4v16M17 4v16M4.5 8h5v8h-5zM14.5 7h5v6h-5z' },
  { id: 'training', name: 'Training', icon: 'M3 17c3 0 4-11 8-11s4 13 10 13M3 21h18' },
  { id: 'predictions', name: 'Predictions', icon: 'M3 14l5-4 3 3M11 13l10-8M11 13l10 1M11 13l10 7' },
  { id: 'backtests', name: 'Backtests', icon: 'M4 12a8 8 0 1 0 3-6.2M4 4v4h4M12 8v4l3 2' },
  { id: 'portfolio', name: 'Portfolio', icon: 'M12 3v9h9a9 9 0 1 1-9-9zM15 3a7 7 0 0 1 6 6h-6z' },
  { id: 'paper', name: 'Paper', icon: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5' },
  {
    id: 'live',
    name: 'Live',
    icon: 'M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8',
  },
  { id: 'texts', name: 'Texts', icon: 'M5 4h14v16H5zM8 8h8M8 12h8M8 16h5' },
  { id: 'advisor', name: 'Advisor', icon: 'M4 5h16v11H9l-5 4zM8 9h8M8 12h5' },
  { id: 'jobs', name: 'Jobs', icon: 'M4 6h16M4 12h16M4 18h10' },
  { id: 'settings', name: 'Settings', icon: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5' },
] as const;

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const page = route.value[0];
  const running = jobs.value.filter(isLive).length;
  const main = useRef<HTMLElement>(null);
  const menu = useRef<HTMLUListElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${PAGES.find(({ id }) => id === page)?.name ?? 'API'} · crypto-trader`;
    // Where the menu is one line, it may be out of sight.
    menu.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [page]);
  useEffect(() => {
    // g, then the first letter of a page, as many tools have it.
    let waiting = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName))
        return;
      if (event.key === 'g') waiting = event.timeStamp;
      else if (event.timeStamp - waiting < 1000) {
        waiting = 0;
        const letter = {
          d: '',
          m: 'markets',
          t: 'training',
          p: 'predictions',
          b: 'backtests',
          o: 'portfolio',
          a: 'paper',
          l: 'live',
          n: 'texts',
          v: 'advisor',
          j: 'jobs',
          s: 'settings',
        }[event.key];
        if (letter !== undefined) location.hash = href(letter);
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <nav aria-label="Pages">
        <span class="brand" aria-hidden="true">
          <svg viewBox="0 0 24 24">
            <path d="M6 3v18M18 3v18" />
            <rect x="3.5" y="7" width="5" height="9" class="up" />
            <rect x="15.5" y="6" width="5" height="8" class="down" />
          </svg>
          <b>crypto-trader</b>
        </span>
        <ul ref={menu}>
          {PAGES.map(({ id, name, icon }) => (
            <li key={id}>
              <a href={href(id)} aria-current={page === id ? 'page' : undefined}>
                <svg viewBox="0 0 24 24" aria-hidden="true">
                  <path d={icon} />
                </svg>
                <span>{name}</span>
                {id === 'jobs' && running > 0 && <span class="count">{running}</span>}
              </a>
            </li>
          ))}
        </ul>
        <div class="foot">
          <Status />
          <button
            type="button"
            class="quiet"
            aria-label={`Theme: ${theme.value}`}
            title="Theme: system, dark, light"
            onClick={() =>
              (theme.value = { system: 'dark', dark: 'light', light: 'system' }[
                theme.value
              ] as typeof theme.value)
            }
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path
                d={
                  {
                    system: 'M4 5h16v11H4zM9 20h6M12 16v4',
                    dark: 'M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z',
                    light:
                      'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19',
                  }[theme.value]
                }
              />
            </svg>
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1} ref={main}>
        {children}
      </main>
    </div>
  );
}

function Status() {
  const session = view.value?.session;
  const text = !connected.value
    ? 'server gone'
    : session === undefined
      ? 'no session'
      : session.overdueSeconds !== undefined
        ? 'feed is late'
        : session.feed === 'stored'
          ? 'stored bars'
          : 'live';
  const kind = !connected.value
    ? 'bad'
    : session?.overdueSeconds !== undefined
      ? 'warn'
      : session?.feed === 'exchange'
        ? 'good'
        : '';
  return (
    <span class="status" role="status">
      <i class={kind} aria-hidden="true" /> {text}
    </span>
  );
}

export function Door() {
  const text = useSignal('');
  return (
    <main class="door">
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.value.trim() !== '') useToken(text.value.trim());
        }}
      >
        <header>
          <h1>crypto-trader</h1>
        </header>
        <div class="body">
          <p>
            Open the address that <code>crypto-trader serve</code> printed: it ends in <code>#token=…</code>.
            Or paste the token, or the password of a server on another machine.
          </p>
          <Text
            label="Token"
            type="password"
            autocomplete="current-password"
            value={text.value}
            onChange={(value) => (text.value = value.replace(/^.*#token=/, ''))}
          />
          <button class="primary" type="submit">
            Open
          </button>
        </div>
      </form>
    </main>
  );
}
