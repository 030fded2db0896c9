/** What is told about a session. */
export interface Message {
  readonly title: string;
  /** One line or many. */
  readonly text: string;
  /** Arrives without a sound where the channel can do that. */
  readonly silent: boolean;
}

/** A way to people that is not one of ours. */
export interface Messenger {
  /** Resolves when the message is taken, rejects with the reason when it is not, and ends soon once `signal` is aborted. */
  send(message: Message, signal: AbortSignal): Promise<void>;
}
