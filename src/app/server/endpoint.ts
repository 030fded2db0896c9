import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { IN_PLAIN_WORDS, issueLines } from '../../core/foundation/plain-issues.ts';
import { faultOf, refusal } from './answers.ts';
import type { Served } from './served.ts';

/** Adds one route to a server, with its part of the OpenAPI document. */
export type Endpoint = (app: OpenAPIHono, served: Served) => void;

interface Input<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
  /** Of the request itself: what it accepts, and that it was given up. */
  readonly request: Request;
}

type Nothing = z.ZodObject<Record<never, never>>;

/**
 * A route from its schemas: what comes in is checked against them before `answer` sees it, and the OpenAPI document is made from the same.
 * `path` as in OpenAPI: `/api/runs/{run}`. What `answer` returns is sent as JSON, without secrets; a `Response` as it is.
 */
export function endpoint<
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(route: {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** What a good answer holds, and its media type where that is not JSON. */
  readonly answers: z.ZodType;
  readonly mediaType?: string;
  readonly answer: (input: Input<P, Q, B>, served: Served) => unknown;
}): Endpoint {
  const { method, path, tag, summary, params, query, body, answers, mediaType = 'application/json' } = route;
  return (app, served) => {
    app.openAPIRegistry.registerPath({
      method,
      path,
      tags: [tag],
      summary,
      security: path === '/api/health' ? [] : [{ token: [] }],
      request: {
        ...(params && { params }),
        ...(query && { query }),
        ...(body && { body: { required: true, content: { 'application/json': { schema: body } } } }),
      },
      responses: {
        200: { description: 'Done.', content: { [mediaType]: { schema: answers } } },
        default: {
          description: 'Refused, wrong or failed: the reason.',
          content: { 'application/json': { schema: Failure } },
        },
      },
    });
    app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const found = await inputOf(c, { params, query, body });
      if (found instanceof Response) return found;
      try {
        // The three schemas are those that the types were made from.
        const given = await route.answer({ ...(found as Input<P, Q, B>), request: c.req.raw }, served);
        return given instanceof Response ? given : served.json(given);
      } catch (error) {
        const known = faultOf(error);
        if (known !== undefined) return served.json({ error: known.fault }, known.status);
        served.log.error({ err: error, path: c.req.path }, 'a request failed');
        return served.json({ error: BUG }, 500);
      }
    });
  };
}

/** As `--json` says it. */
const Failure = z
  .object({
    error: z.object({
      kind: z.enum(['user', 'usage', 'check', 'interrupted', 'bug', 'refused']),
      message: z.string(),
      hint: z.string().optional(),
    }),
  })
  .meta({ description: 'Why, and what to do.' });

const BUG = {
  kind: 'bug',
  message: 'This is a bug in crypto-trader, not something you did.',
  hint: 'Its stack is in the log. Please report it.',
} as const;

async function inputOf(
  c: Context,
  {
    params,
    query,
    body,
  }: {
    readonly params?: z.ZodType | undefined;
    readonly query?: z.ZodType | undefined;
    readonly body?: z.ZodType | undefined;
  },
) {
  const wrong = (part: string, error: z.ZodError): Response =>
    refusal(c, 400, `The ${part} is not valid: ${issueLines(error).join('; ')}`, 'See /api/openapi.json.');
  const parsed = { params: {} as unknown, query: {} as unknown, body: undefined as unknown };
  if (params !== undefined) {
    const result = params.safeParse(c.req.param(), IN_PLAIN_WORDS);
    if (!result.success) return wrong('path', result.error);
    parsed.params = result.data;
  }
  if (query !== undefined) {
    const result = query.safeParse(c.req.query(), IN_PLAIN_WORDS);
    if (!result.success) return wrong('query', result.error);
    parsed.query = result.data;
  }
  if (body !== undefined) {
    // A form of another site can send no JSON without asking first (CORS), and nobody is allowed to ask.
    if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
      return refusal(c, 415, 'The body is no JSON.', 'Send Content-Type: application/json.');
    const text = await textOf(c.req.raw);
    if (text === undefined)
      return refusal(c, 413, `The body has more than ${LARGEST_BODY} bytes.`, 'Send less.');
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return refusal(c, 400, 'The body is no JSON.', 'See /api/openapi.json.');
    }
    const result = body.safeParse(json, IN_PLAIN_WORDS);
    if (!result.success) return wrong('body', result.error);
    parsed.body = result.data;
  }
  return parsed;
}

const LARGEST_BODY = 256 * 1024;

/** The body as text; `undefined` as soon as there is too much of it. */
async function textOf({ body, headers }: Request): Promise<string | undefined> {
  if (Number(headers.get('content-length') ?? 0) > LARGEST_BODY) return undefined;
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_BODY) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
