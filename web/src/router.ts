import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => (hash.value = location.hash));

/** `#/backtests/2026-...` as its parts. */
export const route = computed<readonly string[]>(() =>
  hash.value
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    }),
);

export const go = (...parts: readonly string[]): void => {
  location.hash = href(...parts);
};
export const href = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;
