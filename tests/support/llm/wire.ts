import { z } from 'zod';

/** What a model says in one turn. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly input: unknown }[];
  readonly tokens?: { readonly input: number; readonly output: number };
}

/** What it was asked, whatever the wire format. */
export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as it came. */
  readonly body: string;
  readonly stream: boolean;
  readonly tools: readonly string[];
  /** Everything that stands in messages, in one text. */
  readonly said: string;
  /** How many results of tools it was given. */
  readonly toolResults: number;
}

/** How a provider's answers look: whole, and as server-sent events. */
export interface Wire {
  readonly kind: 'openai' | 'anthropic' | 'google' | 'compatible';
  readonly isStream: (path: string, body: string) => boolean;
  readonly tools: (body: unknown) => readonly string[];
  readonly toolResults: (body: string) => number;
  readonly whole: (said: Said, asked: Asked) => unknown;
  readonly events: (said: Said, asked: Asked) => readonly string[];
  readonly error: (message: string) => unknown;
}

const Loose = z.looseObject({ tools: z.array(z.unknown()).optional() });
const Named = z.looseObject({
  name: z.string().optional(),
  function: z.looseObject({ name: z.string() }).optional(),
});
const namesOf = (body: unknown): readonly string[] =>
  (Loose.parse(body).tools ?? []).map((tool) => {
    const { name, function: own } = Named.parse(tool);
    return name ?? own?.name ?? '';
  });
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
const isStream = (_: string, body: string): boolean => /"stream":\s*true/.test(body);
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, value: object): string => `event: ${type}\n${data({ type, ...value })}`;
/** Text in pieces of a few characters, as models stream it. */
const pieces = (text: string): readonly string[] => text.match(/[^]{1,7}/gu) ?? [];
const usage = ({ tokens = { input: 100, output: 20 } }: Said) => tokens;

/** OpenAI's chat completions, which Ollama, vLLM and OpenRouter speak too. */
const compatible: Wire = {
  kind: 'compatible',
  isStream,
  tools: namesOf,
  toolResults: (body) => count(body, /"role":"tool"/g),
  whole: (said) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'double',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.text ?? null,
          ...(said.calls && {
            tool_calls: said.calls.map(({ name, input }, i) => ({
              id: `call_${i}`,
              type: 'function',
              function: { name, arguments: JSON.stringify(input) },
            })),
          }),
        },
        finish_reason: said.calls ? 'tool_calls' : 'stop',
      },
    ],
    usage: {
      prompt_tokens: usage(said).input,
      completion_tokens: usage(said).output,
      total_tokens: usage(said).input + usage(said).output,
    },
  }),
  events: (said) => {
    const chunk = (delta: object, finish: string | null = null): string =>
      data({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_700_000_000,
        model: 'double',
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    return [
      chunk({ role: 'assistant', content: '' }),
      ...pieces(said.text ?? '').map((content) => chunk({ content })),
      ...(said.calls ?? []).map(({ name, input }, index) =>
        chunk({
          tool_calls: [
            {
              index,
              id: `call_${index}`,
              type: 'function',
              function: { name, arguments: JSON.stringify(input) },
            },
          ],
        }),
      ),
      chunk({}, said.calls ? 'tool_calls' : 'stop'),
      data({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_700_000_000,
        model: 'double',
        choices: [],
        usage: {
          prompt_tokens: usage(said).input,
          completion_tokens: usage(said).output,
          total_tokens: usage(said).input + usage(said).output,
        },
      }),
      'data: [DONE]\n\n',
    ];
  },
  error: (message) => ({ error: { message, type: 'server_error', param: null, code: null } }),
};

/** OpenAI's responses. */
const openai: Wire = {
  kind: 'openai',
  isStream,
  tools: namesOf,
  toolResults: (body) => count(body, /"type":"function_call_output"/g),
  whole: (said) => ({
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    model: 'double',
    status: 'completed',
    output: [
      ...(said.text === undefined
        ? []
        : [
            {
              type: 'message',
              id: 'msg_1',
              role: 'assistant',
              status: 'completed',
              content: [{ type: 'output_text', text: said.text, annotations: [] }],
            },
          ]),
      ...(said.calls ?? []).map(({ name, input }, i) => ({
        type: 'function_call',
        id: `fc_${i}`,
        call_id: `call_${i}`,
        name,
        arguments: JSON.stringify(input),
        status: 'completed',
      })),
    ],
    usage: { input_tokens: usage(said).input, output_tokens: usage(said).output },
  }),
  events: (said) => {
    const message = { type: 'message', id: 'msg_1', role: 'assistant' };
    return [
      named('response.created', { response: { id: 'resp_1', created_at: 1_700_000_000, model: 'double' } }),
      ...(said.text === undefined
        ? []
        : [
            named('response.output_item.added', { output_index: 0, item: { ...message, content: [] } }),
            ...pieces(said.text).map((delta) =>
              named('response.output_text.delta', {
                item_id: 'msg_1',
                output_index: 0,
                content_index: 0,
                delta,
              }),
            ),
            named('response.output_item.done', {
              output_index: 0,
              item: { ...message, content: [{ type: 'output_text', text: said.text, annotations: [] }] },
            }),
          ]),
      ...(said.calls ?? []).flatMap(({ name, input }, i) => {
        const item = { type: 'function_call', id: `fc_${i}`, call_id: `call_${i}`, name };
        const output_index = i + 1;
        return [
          named('response.output_item.added', { output_index, item: { ...item, arguments: '' } }),
          named('response.function_call_arguments.delta', {
            item_id: item.id,
            output_index,
            delta: JSON.stringify(input),
          }),
          named('response.output_item.done', {
            output_index,
            item: { ...item, arguments: JSON.stringify(input), status: 'completed' },
          }),
        ];
      }),
      named('response.completed', {
        response: { usage: { input_tokens: usage(said).input, output_tokens: usage(said).output } },
      }),
    ];
  },
  error: (message) => ({ error: { message, type: 'server_error', param: null, code: 'server_error' } }),
};

/** Anthropic's messages. */
const anthropic: Wire = {
  kind: 'anthropic',
  isStream,
  tools: namesOf,
  toolResults: (body) => count(body, /"type":"tool_result"/g),
  whole: (said, asked) => {
    const { text, calls } = structured(said, asked);
    return {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      model: 'double',
      content: [
        ...(text === undefined ? [] : [{ type: 'text', text }]),
        ...(calls ?? []).map(({ name, input }, i) => ({ type: 'tool_use', id: `toolu_${i}`, name, input })),
      ],
      stop_reason: calls ? 'tool_use' : 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: usage(said).input, output_tokens: usage(said).output },
    };
  },
  events: (said, asked) => {
    const { text, calls = [] } = structured(said, asked);
    const blocks = [
      ...(text === undefined
        ? []
        : [
            {
              start: { type: 'text', text: '' },
              deltas: pieces(text).map((piece) => ({ type: 'text_delta', text: piece })),
            },
          ]),
      ...calls.map(({ name, input }, i) => ({
        start: { type: 'tool_use', id: `toolu_${i}`, name, input: {} },
        deltas: pieces(JSON.stringify(input)).map((piece) => ({
          type: 'input_json_delta',
          partial_json: piece,
        })),
      })),
    ];
    return [
      named('message_start', {
        message: {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          model: 'double',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: usage(said).input, output_tokens: 1 },
        },
      }),
      named('ping', {}),
      ...blocks.flatMap(({ start, deltas }, index) => [
        named('content_block_start', { index, content_block: start }),
        ...deltas.map((delta) => named('content_block_delta', { index, delta })),
        named('content_block_stop', { index }),
      ]),
      named('message_delta', {
        delta: { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: { output_tokens: usage(said).output },
      }),
      named('message_stop', {}),
    ];
  },
  error: (message) => ({ type: 'error', error: { type: 'overloaded_error', message } }),
};

/** Where the structured answer is asked for as a call of a tool named json, a JSON text is one. */
function structured(said: Said, { tools }: Asked): Pick<Said, 'text' | 'calls'> {
  if (!tools.includes('json') || said.text === undefined) return said;
  try {
    return { calls: [{ name: 'json', input: JSON.parse(said.text) }] };
  } catch {
    return said;
  }
}

/** Google's generateContent. */
const google: Wire = {
  kind: 'google',
  isStream: (path) => path.endsWith(':streamGenerateContent'),
  tools: (body) =>
    z
      .looseObject({
        tools: z
          .union([
            z.array(
              z.looseObject({
                functionDeclarations: z.array(z.looseObject({ name: z.string() })).optional(),
              }),
            ),
            z.looseObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })).optional() }),
          ])
          .optional(),
      })
      .transform(({ tools }) =>
        [tools ?? []].flat().flatMap((one) => (one.functionDeclarations ?? []).map(({ name }) => name)),
      )
      .parse(body),
  toolResults: (body) => count(body, /"functionResponse":/g),
  whole: (said) => googleAnswer(partsOf(said), said),
  events: (said) => [
    ...pieces(said.text ?? '').map((text) =>
      data({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }] }),
    ),
    data(googleAnswer(partsOf({ ...said, text: '' }), said)),
  ],
  error: (message) => ({ error: { code: 503, message, status: 'UNAVAILABLE' } }),
};

const partsOf = ({ text, calls = [] }: Said): readonly object[] => [
  ...(text === undefined || text === '' ? [] : [{ text }]),
  ...calls.map(({ name, input }) => ({ functionCall: { name, args: input } })),
];

const googleAnswer = (parts: readonly object[], said: Said) => ({
  candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: {
    promptTokenCount: usage(said).input,
    candidatesTokenCount: usage(said).output,
    totalTokenCount: usage(said).input + usage(said).output,
  },
  modelVersion: 'double',
});

export const WIRES: readonly Wire[] = [openai, anthropic, google, compatible];
