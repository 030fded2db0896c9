import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../api.ts';
import { duration, time } from '../format.ts';
import { jobs } from '../live.ts';
import type { Job } from '../types.ts';
import { Badge, Fault, Meter } from './ui.tsx';
import { useAction } from './use.ts';

const KINDS = { queued: 'info', running: 'info', done: 'good', failed: 'bad', cancelled: 'warn' } as const;

export const JobState = ({ job: { state, error } }: { readonly job: Job }) => (
  <Badge kind={state === 'done' && error !== undefined ? 'warn' : KINDS[state]}>
    {state === 'done' && error !== undefined ? 'check failed' : state}
  </Badge>
);

export const commandOf = ({ arguments: words }: Pick<Job, 'arguments'>): string =>
  `crypto-trader ${words.map((word) => (/[^\w=./,:@-]/.test(word) ? `'${word}'` : word)).join(' ')}`;

export const isLive = ({ state }: Job): boolean => state === 'queued' || state === 'running';

/** The newest job that `matches`, and its document once it is done. */
export function useJob<T>(matches: (job: Job) => boolean): {
  readonly job: Job | undefined;
  readonly result: T | undefined;
} {
  const job = jobs.value.find(matches);
  // What a newer job is about to say does not take away what an older one has said.
  const finished = jobs.value.find((one) => one.state === 'done' && matches(one));
  const [answer, setAnswer] = useState<{ readonly id: string; readonly result: T }>();
  useEffect(() => {
    if (finished === undefined || answer?.id === finished.id) return;
    let gone = false;
    get<T>(`/jobs/${finished.id}/result`)
      .then((result) => gone || setAnswer({ id: finished.id, result }))
      .catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [finished?.id]);
  return { job, result: answer?.result };
}

/** Starts a job, and shows how the newest of its kind stands. */
export function JobPanel({
  job,
  request,
  label,
  disabled,
}: {
  readonly job: Job | undefined;
  readonly request?: object;
  readonly label: string;
  readonly disabled?: boolean;
}) {
  const { busy, error, run } = useAction();
  return (
    <div class="job">
      {request !== undefined && (
        <button
          type="button"
          class="primary"
          disabled={busy || disabled === true}
          onClick={() => run(() => post('/jobs', request))}
        >
          {label}
        </button>
      )}
      <Fault error={error} />
      {job !== undefined && <JobLine job={job} />}
    </div>
  );
}

export function JobLine({ job }: { readonly job: Job }) {
  const { busy, error, run } = useAction();
  const { progress } = job;
  const seconds =
    job.endedAt === undefined || job.startedAt === undefined
      ? undefined
      : (Date.parse(job.endedAt) - Date.parse(job.startedAt)) / 1000;
  return (
    <div class="job-line">
      <div class="row">
        <JobState job={job} />
        <code title={commandOf(job)}>{commandOf(job)}</code>
        <span class="muted">{seconds === undefined ? time(job.createdAt) : duration(seconds)}</span>
        {isLive(job) && (
          <button type="button" disabled={busy} onClick={() => run(() => post(`/jobs/${job.id}/cancel`))}>
            {job.cancelledAt === undefined ? 'Stop' : 'Kill'}
          </button>
        )}
      </div>
      {job.state === 'running' && progress !== undefined && (
        <div class="row progress">
          <Meter
            value={progress.done}
            most={progress.total}
            text={`${progress.label}: ${progress.done} of ${progress.total}`}
          />
          <span>
            {progress.label} {progress.done}/{progress.total}
          </span>
          <span class="muted">{progress.note}</span>
        </div>
      )}
      {job.state === 'running' && progress === undefined && (
        <p class="muted line">{job.line ?? 'Started.'}</p>
      )}
      <Fault
        error={
          job.error === undefined ? undefined : { message: job.error.message, hint: job.error.hint ?? '' }
        }
      />
      <Fault error={error} />
    </div>
  );
}
