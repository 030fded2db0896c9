import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { createBucket } from './bucket.ts';
import { refusal } from './answers.ts';

export interface GuardSettings {
  /** `Host` headers that are answered, port included: `127.0.0.1:8899`. */
  readonly hosts: readonly string[];
  /** What `Authorization: Bearer` has to carry. */
  readonly secret: string;
  /** What TLS in front of this server makes of the address that pages come from; `http` on loopback. */
  readonly schemes: readonly ('http' | 'https')[];
}

/**
 * Who is let in, the cheapest question first. `Host` stands before everything: a page of another site whose name was made to
 * resolve to this machine (DNS rebinding) is of the same origin to its browser, and only `Host` tells (RFC 9110, 15.5.20).
 */
export function createGuard({ hosts, secret, schemes }: GuardSettings): MiddlewareHandler {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  const origins = new Set(
    hosts.flatMap((host) => schemes.map((scheme) => `${scheme}://${host}`.toLowerCase())),
  );
  const expected = digest(secret);
  const requests = createBucket({ burst: 2000, perSecond: 1000 });
  const wrongSecrets = createBucket({ burst: 10, perSecond: 1 / 6 });

  return async (c, next) => {
    const header = (name: string): string | undefined => c.req.header(name);
    const host = header('host')?.toLowerCase();
    if (host === undefined || !known.has(host))
      return refusal(c, 421, `This server does not answer for the host "${host ?? ''}".`, HOST_HINT);
    const origin = header('origin')?.toLowerCase();
    if (origin !== undefined && !origins.has(origin))
      return refusal(
        c,
        403,
        `Requests from "${origin}" are not answered.`,
        'Open the address that `serve` prints.',
      );
    const site = header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      return refusal(c, 403, 'A page of another site asked.', 'Open the address that `serve` prints.');
    if (!requests.take())
      return refusal(c, 429, 'Too many requests.', 'Ask again in a second.', { 'Retry-After': '1' });

    if (c.req.path.startsWith('/api/') && !OPEN.has(c.req.path)) {
      const given = /^Bearer (.{1,512})$/.exec(header('authorization') ?? '')?.[1];
      if (given === undefined || !timingSafeEqual(digest(given), expected)) {
        if (given !== undefined && !wrongSecrets.take())
          return refusal(c, 429, 'Too many wrong tokens.', 'Wait a minute.', { 'Retry-After': '60' });
        return refusal(
          c,
          401,
          'The token is missing or wrong.',
          'Open the address that `serve` printed at its start.',
          {
            'WWW-Authenticate': 'Bearer',
          },
        );
      }
    }
    await next();
  };
}

/** What says nothing about the project. */
const OPEN = new Set(['/api/health', '/api/openapi.json']);
const HOST_HINT =
  'Use the address that `serve` prints, or name the host at its start: --allow-host <host:port>.';

/** Digests are of one length, which a comparison in constant time needs. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** No script, style or picture from anywhere else, no frame around it, nothing kept by a cache in between. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
};

const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;
