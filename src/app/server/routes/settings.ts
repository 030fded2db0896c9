import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { configJsonSchema, environmentName, type JsonSchema } from '../../config/load.ts';
import { endpoint } from '../endpoint.ts';
import { keepSecret, SECRETS, secretStates } from '../secrets.ts';
import { writable } from '../settings-rules.ts';
import { Json } from '../jobs/kinds.ts';
import { Document } from './about.ts';

const Path = z.object({
  path: z.string().regex(/^[A-Za-z][\w-]*(\.[\w-]+){0,8}$/, 'expected a setting, such as trading.feeBps'),
});

const Setting = z.object({
  path: z.string(),
  value: z.unknown(),
  origin: z.enum(['flag', 'environment', 'file', 'default']),
  environment: z.string(),
  description: z.string(),
  /** JSON schema of the value. */
  schema: z.looseObject({}),
  /** It can be changed here. */
  writable: z.boolean(),
});

const requireWritable = (path: string): void => {
  if (!writable(path))
    throw new UserError(`"${path}" cannot be changed from the web.`, {
      hint: `Change it where you have a terminal: crypto-trader config set ${path} <value>.`,
    });
};

export const settingsRoutes = [
  endpoint({
    method: 'get',
    path: '/api/settings',
    tag: 'Settings',
    summary: 'Every setting: value, where it came from, what it means, what it may be.',
    answers: z.object({ file: z.string(), settings: z.array(Setting) }),
    answer: (_, { settings, settingsFile }) => ({
      file: settingsFile,
      settings: settings().settings.map(({ path, value, origin }) => {
        const schema = schemaAt(path.split('.'));
        return {
          path,
          value: typeof value === 'number' && /\.(since|until)$/.test(path) ? formatTime(value) : value,
          origin,
          environment: environmentName(path),
          description: schema?.description ?? '',
          schema: schema ?? {},
          writable: writable(path),
        };
      }),
    }),
  }),
  endpoint({
    method: 'put',
    path: '/api/settings/{path}',
    tag: 'Settings',
    summary:
      'Write a setting into the settings file, whose comments stay; checked as a whole first, as `config set`.',
    params: Path,
    body: z.strictObject({ value: Json }),
    answers: Document,
    answer: async ({ params: { path }, body: { value } }, { ask }) => {
      requireWritable(path);
      // JSON is YAML. `--` ends the options: a value may begin with a dash.
      return ask.document(['config', 'set', path, '--', JSON.stringify(value)]).finally(() => ask.forget());
    },
  }),
  endpoint({
    method: 'delete',
    path: '/api/settings/{path}',
    tag: 'Settings',
    summary: 'Take a setting out of the settings file: its default holds again.',
    params: Path,
    answers: Document,
    answer: async ({ params: { path } }, { ask }) => {
      requireWritable(path);
      return ask.document(['config', 'unset', path]).finally(() => ask.forget());
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/secrets',
    tag: 'Settings',
    summary: 'Which secrets are set. Their values never leave.',
    answers: z.object({
      secrets: z.array(z.object({ name: z.string(), about: z.string(), set: z.boolean() })),
    }),
    answer: () => ({ secrets: secretStates() }),
  }),
  endpoint({
    method: 'put',
    path: '/api/secrets/{name}',
    tag: 'Settings',
    summary:
      'Write a secret into `.env`, readable by its owner alone; jobs that start from now on have it. Empty takes it out.',
    params: z.object({ name: z.enum(SECRETS.map(({ name }) => name)) }),
    body: z.strictObject({
      value: z
        .string()
        .max(4096)
        .regex(/^[\x20-\x7e]*$/, 'expected printable characters on one line'),
    }),
    answers: z.object({ name: z.string(), set: z.boolean() }),
    answer: async ({ params: { name }, body: { value } }, { log, secretsChanged }) => {
      await keepSecret(name, value);
      secretsChanged();
      log.info({ name }, 'a secret was changed from the web');
      return { name, set: value !== '' };
    },
  }),
];

let schema: JsonSchema | undefined;

function schemaAt(path: readonly string[]): JsonSchema | undefined {
  schema ??= configJsonSchema();
  return path.reduce<JsonSchema | undefined>((at, key) => at?.properties?.[key], schema);
}
