import { useEffect, useState } from 'preact/hooks';
import { get } from '../api.ts';
import { duration, time } from '../format.ts';
import { jobs } from '../live.ts';
import { commandOf, isLive, JobLine, JobState } from '../parts/jobs.tsx';
import { Empty, Page, Panel, Table } from '../parts/ui.tsx';
import { go, route } from '../router.ts';
import type { Job } from '../types.ts';

export default function JobsPage() {
  const all = jobs.value;
  const chosen = all.find(({ id }) => id === route.value[1]) ?? all[0];
  return (
    <Page
      title="Jobs"
      about="Long work, each piece a process of its own. It goes on when this page, or the server, ends."
    >
      {all.length === 0 ? (
        <Panel title="Jobs">
          <Empty>Nothing was started yet.</Empty>
        </Panel>
      ) : (
        <div class="grid">
          <Panel title="Jobs" flush wide>
            <Table<Job>
              caption="Jobs"
              rows={all}
              keyOf={({ id }) => id}
              selected={chosen?.id}
              onRow={({ id }) => go('jobs', id)}
              columns={[
                { head: 'Kind', cell: ({ kind }) => kind },
                { head: 'State', cell: (job) => <JobState job={job} /> },
                { head: 'Command', cell: (job) => <code class="cut">{commandOf(job)}</code> },
                { head: 'Asked for', less: true, cell: ({ createdAt }) => time(createdAt) },
                {
                  head: 'Took',
                  number: true,
                  cell: ({ startedAt, endedAt }) =>
                    startedAt === undefined
                      ? ''
                      : duration(
                          ((endedAt === undefined ? Date.now() : Date.parse(endedAt)) -
                            Date.parse(startedAt)) /
                            1000,
                        ),
                },
              ]}
            />
          </Panel>
          {chosen !== undefined && (
            <Panel title={chosen.id} wide>
              <JobLine job={chosen} />
              <Log job={chosen} />
            </Panel>
          )}
        </div>
      )}
    </Page>
  );
}

const MOST = 40_000;

function Log({ job }: { readonly job: Job }) {
  const [log, setLog] = useState({ id: '', text: '', end: 0 });
  useEffect(() => {
    let gone = false;
    let end = 0;
    let text = '';
    const read = async (): Promise<void> => {
      const part = await get<{ text: string; end: number }>(`/jobs/${job.id}/lines?from=${end}`).catch(
        () => undefined,
      );
      if (gone || part === undefined) return;
      end = part.end;
      text = (text + part.text).slice(-MOST);
      setLog({ id: job.id, text, end });
    };
    void read();
    const timer = isLive(job) ? setInterval(() => void read(), 1500) : undefined;
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [job.id, job.state]);
  if (log.id !== job.id || log.text === '') return <Empty>It has said nothing yet.</Empty>;
  return (
    <pre class="log" tabIndex={0} aria-label="What the job says">
      {log.text}
    </pre>
  );
}
