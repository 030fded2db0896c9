import { signal } from '@preact/signals';

/** Why a request was refused, as the server and the command line say it. */
export class ApiError extends Error {
  readonly status: number;
  readonly hint: string;

  constructor(status: number, message: string, hint: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

const KEY = 'crypto-trader-token';

/** The token of this tab; it goes with the tab. Empty: ask for it. */
export const token = signal(takeToken());

/** From the address that `serve` printed, once; it does not stay in the address bar or the history. */
function takeToken(): string {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, '', '#/');
  }
  return sessionStorage.getItem(KEY) ?? '';
}

export function useToken(text: string): void {
  sessionStorage.setItem(KEY, text);
  token.value = text;
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  token.value = '';
}

export const headers = (): Record<string, string> => ({ Authorization: `Bearer ${token.value}` });

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: { ...headers(), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, 'The server does not answer.', 'Start it again: crypto-trader serve');
  }
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401) forgetToken();
  const answer = (await response.json().catch(() => ({}))) as { error?: { message?: string; hint?: string } };
  throw new ApiError(
    response.status,
    answer.error?.message ?? `The server answered ${response.status}.`,
    answer.error?.hint ?? '',
  );
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>('POST', path, body);
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>('PUT', path, body);
export const remove = <T>(path: string): Promise<T> => call<T>('DELETE', path);
