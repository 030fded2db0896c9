import { useState } from 'preact/hooks';
import { post } from '../api.ts';
import { count, fixed, time, tone } from '../format.ts';
import { jobs } from '../live.ts';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import { Badge, Empty, Fault, LOADING, Page, Panel, Select, Stat, Stats, Table, Text } from '../parts/ui.tsx';
import { useAction, useGet } from '../parts/use.ts';

interface StoredText {
  readonly id: string;
  readonly source: string;
  readonly title: string;
  readonly firstSeen: string;
  readonly firstSeenAssumed: boolean;
  readonly edit: boolean;
  readonly repeats: string | null;
  readonly assets: readonly { readonly asset: string; readonly relevance: number }[];
}
interface Texts {
  readonly texts: readonly StoredText[];
  readonly matching: number;
  readonly sources: readonly {
    readonly source: string;
    readonly texts: number;
    readonly firstSeen: string;
    readonly lastSeen: string;
  }[];
}
interface Sources {
  readonly sources: readonly {
    readonly source: string;
    readonly about: string;
    readonly ready: boolean;
    readonly reason?: string;
  }[];
}
interface Scorers {
  readonly scorers: readonly { readonly id: string; readonly about: string }[];
}
interface Score {
  readonly scorer: string;
  readonly polarity: number;
  readonly subjectivity: number;
  readonly assets: readonly { readonly asset: string }[];
}

export default function TextsPage() {
  const done = jobs.value.filter(
    ({ kind, state }) => state === 'done' && (kind === 'text-fetch' || kind === 'text-score'),
  ).length;
  const [asset, setAsset] = useState('');
  const query = /^[A-Za-z0-9]{1,12}$/.test(asset) ? `?asset=${asset}` : '';
  const { value, error } = useGet<Texts>(`/texts${query}`, done);
  const sources = useGet<Sources>('/texts/sources');
  const fetched = useJob(({ kind }) => kind === 'text-fetch');
  const scored = useJob(({ kind }) => kind === 'text-score');
  const known = new Map(value?.sources.map((one) => [one.source, one]));
  return (
    <Page
      title="Texts"
      about="News and posts, each known from the moment at which this program first saw it, never from when it says it was published."
    >
      <Fault error={error ?? sources.error} />
      <div class="grid">
        <Panel title="Get and score">
          <JobPanel
            job={fetched.job}
            request={{ kind: 'text-fetch' }}
            label="Ask every source for what is new"
          />
          <JobPanel job={scored.job} request={{ kind: 'text-score' }} label="Score all, for features" />
        </Panel>
        <ScoreBox />
        <Panel title="Sources" wide flush>
          {sources.value === undefined ? (
            <Empty>{LOADING}</Empty>
          ) : (
            <Table
              caption="Sources of texts"
              rows={sources.value.sources}
              keyOf={({ source }) => source}
              columns={[
                { head: 'Source', cell: (one) => one.source },
                {
                  head: 'Ready',
                  cell: (one) => <Badge kind={one.ready ? 'good' : 'warn'}>{one.ready ? 'yes' : 'no'}</Badge>,
                },
                { head: 'Texts', number: true, cell: (one) => count(known.get(one.source)?.texts ?? 0) },
                { head: 'Seen last', less: true, cell: (one) => time(known.get(one.source)?.lastSeen) },
                { head: 'What', less: true, cell: (one) => one.reason ?? one.about },
              ]}
            />
          )}
        </Panel>
        <Panel title="Newest" wide flush>
          <div class="row">
            <Text label="Only of an asset" value={asset} onChange={setAsset} />
            <span class="muted">{value === undefined ? '' : `${count(value.matching)} match`}</span>
          </div>
          {value === undefined || value.texts.length === 0 ? (
            <Empty>{value === undefined ? LOADING : 'No text is stored that matches.'}</Empty>
          ) : (
            <Table
              caption="Newest texts"
              rows={value.texts}
              keyOf={({ id, firstSeen }) => `${id} ${firstSeen}`}
              columns={[
                {
                  head: 'First seen',
                  cell: (one) => (
                    <>
                      {time(one.firstSeen)} {one.firstSeenAssumed && <Badge kind="warn">assumed</Badge>}
                    </>
                  ),
                },
                { head: 'Source', less: true, cell: (one) => one.source },
                { head: 'Assets', cell: (one) => one.assets.map((each) => each.asset).join(' ') },
                {
                  head: 'Text',
                  cell: (one) => (
                    <span class="wrap">
                      {one.edit && <Badge>edited</Badge>} {one.repeats !== null && <Badge>repeat</Badge>}{' '}
                      {one.title}
                    </span>
                  ),
                },
              ]}
            />
          )}
        </Panel>
      </div>
    </Page>
  );
}

/** A sentence, and what a scorer makes of it. */
function ScoreBox() {
  const { value } = useGet<Scorers>('/texts/scorers');
  const [scorer, setScorer] = useState('lexicon-1');
  const [text, setText] = useState('');
  const [score, setScore] = useState<Score>();
  const { busy, error, run } = useAction();
  return (
    <Panel title="Try a sentence">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => setScore(await post<Score>('/texts/score', { text, scorer })));
        }}
      >
        <Text label="Sentence" value={text} onChange={setText} />
        <div class="row">
          <Select
            label="Scorer"
            value={scorer}
            options={value?.scorers.map(({ id }) => id) ?? [scorer]}
            onChange={setScorer}
          />
          <button type="submit" class="primary" disabled={busy || text.trim() === ''}>
            Score
          </button>
        </div>
      </form>
      <p class="muted">{value?.scorers.find(({ id }) => id === scorer)?.about}</p>
      <Fault error={error} />
      {score !== undefined && (
        <Stats>
          <Stat label="Polarity" value={fixed(score.polarity)} of={score.polarity} note="-1 bad to 1 good" />
          <Stat label="Subjectivity" value={fixed(score.subjectivity)} note="0 facts to 1 judgements" />
          <Stat
            label="About"
            value={score.assets.map(({ asset }) => asset).join(' ') || 'no asset'}
            small
            note={<span class={tone(score.polarity)}>{score.scorer}</span>}
          />
        </Stats>
      )}
    </Panel>
  );
}
