import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get } from '../api.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** What a path answers; asked again when the path or one of `when` changes. What was there stays until the answer comes. */
export function useGet<T>(path: string | undefined, ...when: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{
    path?: string | undefined;
    value?: T | undefined;
    error?: ApiError | undefined;
  }>({});
  const [turn, setTurn] = useState(0);
  const [loading, setLoading] = useState(path !== undefined);
  useEffect(() => {
    if (path === undefined) return;
    let gone = false;
    setLoading(true);
    get<T>(path)
      .then((value) => gone || setState({ path, value }))
      .catch((error: unknown) => {
        if (!gone)
          setState((before) => ({ ...(before.path === path ? before : {}), path, error: asError(error) }));
      })
      .finally(() => gone || setLoading(false));
    return () => {
      gone = true;
    };
  }, [path, turn, ...when]);
  const current = state.path === path;
  return {
    value: current ? state.value : undefined,
    error: current ? state.error : undefined,
    loading,
    reload: () => setTurn((before) => before + 1),
  };
}

/** Counts on every so often, while the page is looked at. */
export function useEvery(ms: number): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setTurn((before) => before + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return turn;
}

export const asError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(0, error instanceof Error ? error.message : String(error), '');

/** Work that a button starts: whether it goes on, and why it failed. */
export function useAction(): {
  busy: boolean;
  error: ApiError | undefined;
  run: (work: () => Promise<unknown>) => void;
} {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  return {
    busy,
    error,
    run: (work) => {
      setBusy(true);
      setError(undefined);
      work()
        .catch((reason: unknown) => setError(asError(reason)))
        .finally(() => setBusy(false));
    },
  };
}

/** Calls `changed` with every new size of an element. */
export function useSize(changed: (width: number, height: number) => void) {
  const element = useRef<HTMLDivElement>(null);
  const latest = useRef(changed);
  latest.current = changed;
  useEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(([entry]) =>
      latest.current(entry.contentRect.width, entry.contentRect.height),
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return element;
}
