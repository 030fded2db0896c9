import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import type { OwnChannel } from '../../desk/notify/channel.ts';
import type { NotifierPlugin } from './define.ts';

/** A notifier as a session uses it, or why it cannot be used. */
export type OpenedNotifier =
  | { readonly kind: 'open'; readonly channel: OwnChannel }
  | { readonly kind: 'closed'; readonly id: string; readonly reason: string };

/**
 * Opens notifiers of the user's own. Each parameter comes from `notifiers.<id>` in the settings or, tokens and addresses
 * above all, from the environment as it was before plug-ins were loaded: `token` of `my-phone` is
 * NOTIFY_MY_PHONE_TOKEN. What comes from there is a secret and is shown nowhere.
 */
export const openNotifiers = (
  notifiers: readonly NotifierPlugin[],
  settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  environment: Readonly<Record<string, string | undefined>>,
): readonly OpenedNotifier[] =>
  notifiers.map((notifier) => {
    const { id, params } = notifier;
    const secret: Record<string, string> = {};
    for (const name of namesOf(params)) {
      const value = environment[variableOf(id, name)];
      if (value !== undefined && value !== '') secret[name] = value;
    }
    const secrets = Object.values(secret);
    const hide = (text: string): string =>
      secrets.reduce((shown, value) => shown.replaceAll(value, '[redacted]'), text);
    const parsed = params.safeParse({ ...settings[id], ...secret });
    if (!parsed.success) {
      const variables = namesOf(params).map((name) => variableOf(id, name));
      return {
        kind: 'closed',
        id,
        reason: `${hide(issueLines(parsed.error).join('; '))}\nSet notifiers.${id} in config.yaml, or in the environment: ${variables.join(', ')}.`,
      };
    }
    try {
      return { kind: 'open', channel: { kind: 'own', id, secrets, messenger: notifier.open(parsed.data) } };
    } catch (error) {
      return { kind: 'closed', id, reason: hide(error instanceof Error ? error.message : String(error)) };
    }
  });

const Schema = z.object({ properties: z.record(z.string(), z.unknown()).default({}) });

const namesOf = (params: z.ZodType): readonly string[] =>
  Object.keys(Schema.parse(z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' })).properties);

const variableOf = (id: string, name: string): string =>
  `NOTIFY_${id}_${name.replace(/([a-z])([A-Z])/g, '$1_$2')}`.replaceAll('-', '_').toUpperCase();
