import { effect, signal } from '@preact/signals';
import type { DashboardView } from '../../src/app/dashboard/view.ts';
import { forgetToken, headers, token } from './api.ts';
import type { Job, Prices } from './types.ts';

type View = Omit<DashboardView, 'log' | 'time'>;

/** The newest paper session and training, as they are on disk. */
export const view = signal<View | undefined>(undefined);
/** Last prices of the exchange, while a session trades there. */
export const prices = signal<Prices | null>(null);
export const jobs = signal<readonly Job[]>([]);
export const connected = signal(false);

/** Follows the server for as long as there is a token, and connects again when it was gone. */
export function follow(): void {
  let stop: AbortController | undefined;
  effect(() => {
    stop?.abort();
    if (token.value === '') return;
    stop = new AbortController();
    void stay(stop.signal);
  });
}

async function stay(signal: AbortSignal): Promise<void> {
  for (let pause = 500; !signal.aborted; pause = Math.min(8000, 2 * pause)) {
    try {
      const response = await fetch('/api/live', { headers: headers(), signal });
      if (response.status === 401) forgetToken();
      if (response.ok && response.body !== null) {
        connected.value = true;
        pause = 500;
        await read(response.body);
      }
    } catch {
      // The server is gone, or the page is.
    }
    connected.value = false;
    await new Promise((done) => setTimeout(done, pause));
  }
}

/** Server-sent events (WHATWG HTML, 9.2) over fetch: EventSource cannot send a header. */
async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
      if (event === 'view') view.value = JSON.parse(data) as View;
      if (event === 'prices') prices.value = JSON.parse(data) as Prices | null;
      if (event === 'jobs') jobs.value = JSON.parse(data) as Job[];
    }
  }
}
