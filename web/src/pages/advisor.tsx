import { useState } from 'preact/hooks';
import { ApiError, headers, post } from '../api.ts';
import { count, fixed, percent, signed, time, tone } from '../format.ts';
import { jobs } from '../live.ts';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import { Badge, Empty, Fault, LOADING, Page, Panel, Select, Stat, Stats, Table } from '../parts/ui.tsx';
import { useAction, useGet } from '../parts/use.ts';

interface Providers {
  readonly providers: readonly {
    readonly provider: string;
    readonly ready: boolean;
    readonly model?: string;
    readonly usdPerMillionTokens?: { readonly input: number; readonly output: number };
    readonly reason?: string;
  }[];
  readonly today: {
    readonly usd: number;
    readonly tokens: number;
    readonly calls: number;
    readonly usdPerDay: number;
    readonly tokensPerDay: number;
  };
}
interface Votes {
  readonly count: number;
  readonly voters: readonly {
    readonly voter: string;
    readonly contaminated: boolean;
    readonly synthetic: boolean;
    readonly votes: number;
    readonly abstained: number;
    readonly judged: number;
    readonly hitPct?: number;
    readonly hitInterval?: readonly [number, number];
    readonly returnPct?: number;
    readonly holdPct?: number;
    readonly usd: number;
  }[];
  readonly votes: readonly {
    readonly id: string;
    readonly symbol: string;
    readonly votedAt: string;
    readonly provider: string;
    readonly contaminated: boolean;
    readonly action?: 'BUY' | 'SELL' | 'HOLD';
    readonly confidence?: number;
    readonly reasons?: readonly {
      readonly fact: string;
      readonly value: number;
      readonly supports: string;
    }[];
    readonly abstained?: string;
  }[];
}

export default function AdvisorPage() {
  const asked = jobs.value.filter(({ kind, state }) => kind === 'advise' && state === 'done').length;
  const [turns, setTurns] = useState(0);
  const providers = useGet<Providers>('/advisor/providers', asked, turns);
  const votes = useGet<Votes>('/advisor/votes', asked);
  const { job } = useJob(({ kind }) => kind === 'advise');
  const ready = providers.value?.providers.filter((one) => one.ready) ?? [];
  const today = providers.value?.today;
  return (
    <Page
      title="Advisor"
      about="Language models that read this project and decide nothing: their weight in the ensemble is 0."
    >
      <Fault error={providers.error ?? votes.error} />
      {today !== undefined && (
        <Stats>
          <Stat
            label="Spent today"
            value={`${today.usd.toFixed(4)} USD`}
            note={`of ${today.usdPerDay} USD, UTC`}
          />
          <Stat label="Tokens today" value={count(today.tokens)} note={`of ${count(today.tokensPerDay)}`} />
          <Stat label="Calls today" value={count(today.calls)} />
        </Stats>
      )}
      <div class="grid">
        <Panel title="Providers" wide flush>
          {providers.value === undefined ? (
            <Empty>{LOADING}</Empty>
          ) : (
            <Table
              caption="Language models"
              rows={providers.value.providers}
              keyOf={({ provider }) => provider}
              columns={[
                { head: 'Provider', cell: (one) => one.provider },
                {
                  head: 'Ready',
                  cell: (one) => <Badge kind={one.ready ? 'good' : 'warn'}>{one.ready ? 'yes' : 'no'}</Badge>,
                },
                { head: 'Model', cell: (one) => one.model ?? '–' },
                {
                  head: 'USD per M tokens',
                  less: true,
                  cell: ({ usdPerMillionTokens: own }) =>
                    own === undefined ? '–' : `${own.input} in, ${own.output} out`,
                },
                { head: 'Lacks', less: true, cell: (one) => one.reason ?? '' },
              ]}
            />
          )}
        </Panel>
        <Conversation
          providers={ready.map(({ provider }) => provider)}
          onAnswered={() => setTurns((before) => before + 1)}
        />
        <Panel title="Votes" wide>
          <JobPanel
            job={job}
            request={{ kind: 'advise' }}
            label="Have every provider vote"
            disabled={ready.length === 0}
          />
          <p class="muted">
            Each sees the same figures at the newest bar, no text, and answers BUY, SELL or HOLD. It costs
            what the providers charge.
          </p>
        </Panel>
        <Record votes={votes.value} />
      </div>
    </Page>
  );
}

function Record({ votes }: { readonly votes: Votes | undefined }) {
  if (votes === undefined || votes.count === 0)
    return (
      <Panel title="Record" wide>
        <Empty>{votes === undefined ? LOADING : 'No vote is on record.'}</Empty>
      </Panel>
    );
  return (
    <>
      <Panel title="Record" wide flush>
        <Table
          caption="What became of the votes"
          rows={votes.voters}
          keyOf={(one) => `${one.voter} ${one.contaminated} ${one.synthetic}`}
          columns={[
            {
              head: 'Voter',
              cell: (one) => (
                <>
                  {one.voter} {one.contaminated && <Badge kind="bad">contaminated</Badge>}
                  {one.synthetic && <Badge kind="warn">SYNTHETIC</Badge>}
                </>
              ),
            },
            { head: 'Votes', number: true, cell: (one) => count(one.votes) },
            { head: 'Abstained', number: true, less: true, cell: (one) => count(one.abstained) },
            { head: 'Judged', number: true, cell: (one) => count(one.judged) },
            {
              head: 'Hits (95 %)',
              number: true,
              cell: ({ hitPct, hitInterval: ends }) =>
                hitPct === undefined
                  ? '–'
                  : `${percent(hitPct, 0)}${ends === undefined ? '' : ` (${fixed(ends[0], 0)} to ${fixed(ends[1], 0)})`}`,
            },
            {
              head: 'Return',
              number: true,
              cell: ({ returnPct }) => <span class={tone(returnPct)}>{signed(returnPct)}</span>,
            },
            { head: 'Held', number: true, less: true, cell: ({ holdPct }) => signed(holdPct) },
          ]}
        />
      </Panel>
      <Panel title="Newest votes" wide flush>
        <Table
          caption="Newest votes"
          rows={votes.votes.toReversed()}
          keyOf={({ id }) => id}
          columns={[
            { head: 'Voted at', cell: (one) => time(one.votedAt) },
            { head: 'Pair', cell: (one) => one.symbol },
            { head: 'Voter', cell: (one) => one.provider },
            { head: 'Vote', cell: (one) => one.action ?? 'abstains' },
            { head: 'Confidence', number: true, cell: (one) => fixed(one.confidence) },
            {
              head: 'Rests on',
              less: true,
              cell: (one) =>
                one.abstained ??
                one.reasons?.map(({ fact, value, supports }) => `${fact} ${value} (${supports})`).join(', '),
            },
          ]}
        />
      </Panel>
    </>
  );
}

interface Said {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** Of an answer: who gave it, what it rests on, and what it cost. */
  readonly provider?: string | undefined;
  readonly calls?: readonly string[];
  readonly note?: string;
}

type Event =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool'; readonly number: number; readonly tool: string; readonly input: object }
  | {
      readonly kind: 'end';
      readonly usd: number;
      readonly complete: boolean;
      readonly reason?: string;
      readonly figures: Figures;
    };

interface Figures {
  readonly cited: number;
  readonly unsupported: readonly string[];
}

interface SideBySide {
  readonly answers: readonly (
    | {
        readonly provider: string;
        readonly answer: string;
        readonly complete: boolean;
        readonly reason?: string;
        readonly calls: readonly { readonly number: number; readonly tool: string; readonly input: object }[];
        readonly figures: Figures;
        readonly usd: number;
      }
    | { readonly provider: string; readonly error: string }
  )[];
}

const ALL = 'all of them';

function Conversation({
  providers,
  onAnswered,
}: {
  readonly providers: readonly string[];
  readonly onAnswered: () => void;
}) {
  const [provider, setProvider] = useState<string>();
  const [question, setQuestion] = useState('');
  const [said, setSaid] = useState<readonly Said[]>([]);
  const { busy, error, run } = useAction();
  const chosen = provider ?? providers[0];
  const ask = async (): Promise<void> => {
    // Several answers to one question are no conversation that one of them could go on with.
    const alone = chosen === ALL || said.some((one, i) => one.role === said[i - 1]?.role);
    const before: readonly Said[] = [...(alone ? [] : said), { role: 'user', content: question }];
    setQuestion('');
    let answer: Said = { role: 'assistant', content: '', provider: chosen };
    setSaid([...before, answer]);
    try {
      if (chosen === ALL) {
        const { answers } = await post<SideBySide>('/advisor/answers', { question });
        setSaid([...before, ...answers.map(fromDocument)]);
        return;
      }
      await stream(
        { provider: chosen, messages: before.map(({ role, content }) => ({ role, content })) },
        (event) => {
          answer = withEvent(answer, event);
          setSaid([...before, answer]);
        },
      );
    } catch (reason) {
      // A question without an answer is asked again as it was.
      setSaid(said);
      setQuestion(question);
      throw reason;
    } finally {
      onAnswered();
    }
  };
  return (
    <Panel title="Ask" wide>
      <div role="log" aria-label="Conversation">
        {said.map((one, i) => (
          <div key={i} class={`said ${one.role}`}>
            <b>{one.role === 'user' ? 'You' : one.provider}</b>
            <p class="prose">
              <Marked text={one.content === '' && busy ? '…' : one.content} />
            </p>
            {one.calls?.map((call, n) => (
              <p key={n} class="muted">
                {call}
              </p>
            ))}
            {one.note !== undefined && <p class="muted">{one.note}</p>}
          </div>
        ))}
      </div>
      <Fault error={error} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(ask);
        }}
      >
        <div class="field">
          <label for="question">Question</label>
          <textarea
            id="question"
            rows={3}
            maxLength={20_000}
            value={question}
            onInput={(event) => setQuestion(event.currentTarget.value)}
          />
        </div>
        <div class="row">
          {chosen !== undefined && (
            <Select
              label="Provider"
              value={chosen}
              options={providers.length > 1 ? [...providers, ALL] : providers}
              onChange={setProvider}
            />
          )}
          <button
            type="submit"
            class="primary"
            disabled={busy || chosen === undefined || question.trim() === ''}
          >
            Ask
          </button>
          {said.length > 0 && (
            <button type="button" disabled={busy} onClick={() => setSaid([])}>
              Start over
            </button>
          )}
        </div>
      </form>
      <p class="muted">
        Behind every figure stands the call that returned it, or [?] where none did: do not rely on those.
        {chosen === undefined && ' No provider is ready; docs/advisor.md shows how to set one.'}
      </p>
    </Panel>
  );
}

/** Figures that no tool returned stand out. */
const Marked = ({ text }: { readonly text: string }) => (
  <>
    {text.split(/(\S*\[\?\]\S*)/).map((part, i) =>
      i % 2 === 1 ? (
        <mark key={i} title="No tool returned this figure">
          {part}
        </mark>
      ) : (
        part
      ),
    )}
  </>
);

function withEvent(answer: Said, event: Event): Said {
  switch (event.kind) {
    case 'text':
      return { ...answer, content: answer.content + event.text };
    case 'tool':
      return { ...answer, calls: [...(answer.calls ?? []), callText(event)] };
    case 'end':
      return { ...answer, note: noteOf(event) };
  }
}

const callText = ({ number, tool, input }: { number: number; tool: string; input: object }): string =>
  `[${number}] ${tool} ${Object.values(input).join(' ')}`;

function noteOf(end: { complete: boolean; reason?: string; figures: Figures; usd: number }): string {
  const { cited, unsupported } = end.figures;
  const open = end.complete ? '' : ` Not complete: ${end.reason ?? ''}.`;
  return `${cited} figures cited, ${unsupported.length} from no tool; ${end.usd.toFixed(4)} USD.${open}`;
}

const fromDocument = (one: SideBySide['answers'][number]): Said =>
  'error' in one
    ? { role: 'assistant', provider: one.provider, content: '', note: `No answer: ${one.error}` }
    : {
        role: 'assistant',
        provider: one.provider,
        content: one.answer,
        calls: one.calls.map(callText),
        note: noteOf(one),
      };

/** Posts a question and gives each event of the answer as it comes. */
async function stream(body: object, onEvent: (event: Event) => void): Promise<void> {
  const response = await fetch('/api/advisor/chat', {
    method: 'POST',
    headers: { ...headers(), 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok || response.body === null) {
    const answer = (await response.json().catch(() => ({}))) as {
      error?: { message?: string; hint?: string };
    };
    throw new ApiError(response.status, answer.error?.message ?? 'No answer.', answer.error?.hint ?? '');
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (name === 'said' && data !== undefined) onEvent(JSON.parse(data) as Event);
      if (name === 'closed' && data !== undefined) {
        const { code, complaint } = JSON.parse(data) as { code: number | null; complaint: string };
        if (code !== 0)
          throw new ApiError(0, complaint.trim() || 'The question ended without an answer.', '');
      }
    }
  }
}
