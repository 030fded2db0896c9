import type { Messenger } from '../../core/foundation/message.ts';
import type { OwnChannel } from './channel.ts';

export interface MailAddress {
  /** `smtps://user:password@host:465` or `smtp://...:587`; a secret. */
  readonly url: string;
  readonly from: string;
  readonly to: string;
}

const SILENCE_MS = 10_000;

/**
 * Mail by SMTP, as plain text and nothing else: no file and no address is ever read for it. Whatever is not on this machine is
 * spoken to over TLS, or not at all.
 */
export function mailChannel({ url, from, to }: MailAddress): OwnChannel {
  const { hostname, port, username, password, protocol } = new URL(url);
  const secure = protocol === 'smtps:';
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  const messenger: Messenger = {
    send: async ({ title, text }, signal) => {
      signal.throwIfAborted();
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host: hostname.replace(/^\[|\]$/g, ''),
        port: Number(port === '' ? (secure ? 465 : 587) : port),
        secure,
        requireTLS: !secure && !isLocal,
        ignoreTLS: !secure && isLocal,
        connectionTimeout: SILENCE_MS,
        greetingTimeout: SILENCE_MS,
        socketTimeout: SILENCE_MS,
        ...(username !== '' && {
          auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
        }),
      });
      const stop = (): void => transport.close();
      signal.addEventListener('abort', stop);
      try {
        const plain = { disableFileAccess: true, disableUrlAccess: true } as const;
        await transport.sendMail({ from, to, subject: oneLine(title), text, ...plain });
      } finally {
        signal.removeEventListener('abort', stop);
        transport.close();
      }
    },
  };
  const secrets = [url, decodeURIComponent(password)].filter((secret) => secret !== '');
  return { kind: 'own', id: 'mail', messenger, secrets };
}

/** A header ends with its line. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 200);

/** The bell of the terminal that the program runs in; silent messages ring none. */
export const bellChannel = (ring: () => void): OwnChannel => ({
  kind: 'own',
  id: 'bell',
  secrets: [],
  messenger: {
    send: async ({ silent }) => {
      if (!silent) ring();
    },
  },
});
