import type { Message, Messenger } from '../../core/foundation/message.ts';

/** Where messages go, ours and those of the user's own. */
export type Channel = HttpChannel | OwnChannel;

/** A notifier of the user's own. */
export interface OwnChannel {
  readonly kind: 'own';
  readonly id: string;
  readonly messenger: Messenger;
  readonly secrets: readonly string[];
}

/** Addresses and tokens are secrets: they come from the environment and are never printed. */
export type HttpChannel =
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'discord'; readonly url: string }
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'telegram'; readonly apiUrl: string; readonly botToken: string; readonly chatId: string }
  | { readonly kind: 'ntfy'; readonly url: string; readonly token: string | undefined };

interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Longest text that each service takes, in UTF-16 units, with room for the title. */
const LONGEST: Readonly<Record<HttpChannel['kind'], number>> = {
  webhook: 30_000,
  discord: 1_800, // 2 000: discord.com/developers/docs/resources/webhook
  slack: 30_000, // 40 000: docs.slack.dev/reference/methods/chat.postMessage
  telegram: 3_800, // 4 096: core.telegram.org/bots/api#sendmessage
  ntfy: 3_600, // 4 096 bytes: docs.ntfy.sh/publish
};

/** The POST that delivers `message`. Text is sent as text: nothing in it is read as markup or as a mention. */
export function requestOf(channel: HttpChannel, message: Message): HttpRequest {
  const text = cut(message.text, LONGEST[channel.kind]);
  const json = (url: string, value: object): HttpRequest => ({
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  const whole = `${message.title}\n${text}`;
  switch (channel.kind) {
    case 'webhook':
      return json(channel.url, { title: message.title, text, silent: message.silent });
    case 'discord':
      return json(channel.url, {
        content: whole,
        allowed_mentions: { parse: [] },
        flags: message.silent ? 4096 : 0,
      });
    case 'slack':
      return json(channel.url, { text: escapeSlack(whole), mrkdwn: false });
    case 'telegram':
      return json(`${channel.apiUrl}/bot${channel.botToken}/sendMessage`, {
        chat_id: channel.chatId,
        text: whole,
        disable_notification: message.silent,
        link_preview_options: { is_disabled: true },
      });
    case 'ntfy':
      return {
        url: channel.url,
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          title: asciiOnly(message.title),
          priority: message.silent ? 'low' : 'default',
          ...(channel.token === undefined ? {} : { authorization: `Bearer ${channel.token}` }),
        },
        body: text,
      };
  }
}

/** What people call it. */
export const channelName = (channel: Channel): string => (channel.kind === 'own' ? channel.id : channel.kind);

/** What of a channel must not appear in any log or error. */
export function secretsOf(channel: Channel): readonly string[] {
  switch (channel.kind) {
    case 'own':
      return channel.secrets;
    case 'webhook':
    case 'discord':
    case 'slack':
      return [channel.url];
    case 'telegram':
      return [channel.botToken];
    case 'ntfy':
      return channel.token === undefined ? [channel.url] : [channel.url, channel.token];
  }
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const lines = text.slice(0, longest).split('\n');
  const kept = lines.length > 1 ? lines.slice(0, -1) : lines;
  return `${kept.join('\n')}\n... and ${text.split('\n').length - kept.length} more lines`;
}

/** docs.slack.dev/messaging/formatting-message-text: these three are control characters. */
const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A header takes nothing else. */
const asciiOnly = (text: string): string => text.replace(/[^ -~]/g, '?');
