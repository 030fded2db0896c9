import type { TextAnswer } from './server.ts';

type Make = (body: string) => TextAnswer;
const text =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Make =>
  () => ({ status, headers, body });
const cut =
  (share: number): Make =>
  (body) => ({ body: body.slice(0, Math.floor(share * body.length)) });

/** Answers that no host of rows in JSON promises, made of one that it does. */
export const NO_ANSWERS: readonly (readonly [string, Make])[] = [
  ['cut at the start', cut(0.02)],
  ['cut in half', cut(0.5)],
  ['one byte short', (body) => ({ body: body.slice(0, -1) })],
  ['empty', text('')],
  ['blanks', text(' \n ')],
  ['a maintenance page', text('<html>back soon</html>')],
  ['null', text('null')],
  ['true', text('true')],
  ['a number', text('42')],
  ['a text', text('"ok"')],
  ['an empty list', text('[]')],
  ['a list of nothings', text('[null,null]')],
  ['a list of numbers', text('[1,2,3]')],
  ['an empty object', text('{}')],
  ['data that is no list', text('{"data":{},"values":{},"chart":{}}')],
  ['an error with status 200', text('{"error":{"type":"bad","message":"no"}}')],
  ['lists of lists of lists', text('['.repeat(50_000) + ']'.repeat(50_000))],
  ['a prototype', text('{"__proto__":{"data":[]},"constructor":1}')],
  ['bytes of no text', () => ({ body: Buffer.from([0xff, 0xfe, 0, 1, 2]) })],
  ['status 400', text('{"error":"bad request"}', 400)],
  ['status 401', text('{"error":"key"}', 401)],
  ['status 403', text('<html>forbidden</html>', 403)],
  ['status 404', text('nothing here', 404)],
  ['status 429', text('slow down', 429, { 'Retry-After': '0' })],
  ['status 500', text('oops', 500)],
  ['status 502', text('<html>bad gateway</html>', 502)],
  ['a redirect', text('', 302, { Location: 'http://127.0.0.1:9/' })],
  ['a lost connection', () => ({ broken: 'lost' })],
  ['a connection lost half way', (body) => ({ body, broken: 'half' })],
  ['no gzip, but said to be', (body) => ({ body, headers: { 'Content-Encoding': 'gzip' } })],
];
