import { useState } from 'preact/hooks';
import { put, remove } from '../api.ts';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import { Badge, Choice, Empty, Fault, LOADING, Field, Page, Panel } from '../parts/ui.tsx';
import { useAction, useGet } from '../parts/use.ts';
import { candleStyle, palette, theme } from '../theme.ts';
import type { Setting } from '../types.ts';

const GROUPS: readonly {
  readonly title: string;
  readonly about: string;
  readonly sections: readonly string[];
}[] = [
  {
    title: 'Data and exchange',
    about: 'Where candles come from',
    sections: ['exchange', 'market', 'fetch', 'features'],
  },
  {
    title: 'Models and training',
    about: 'What is trained, and how',
    sections: ['training', 'models', 'deepLearning', 'ensemble', 'ensembles', 'ownFeatures', 'seed'],
  },
  {
    title: 'Trading',
    about: 'Costs, sizes and exits, in backtests and on paper',
    sections: ['strategy', 'strategies', 'sizing', 'trading', 'exits', 'backtest'],
  },
  { title: 'Risk and paper', about: 'Limits above the strategy', sections: ['risk', 'paper', 'execution'] },
  {
    title: 'Texts and series',
    about: 'Where news, posts and series come from; their keys are among the secrets',
    sections: ['text', 'series'],
  },
  {
    title: 'Language models',
    about: 'Limits of the advisor; providers are set in a terminal, their keys are among the secrets',
    sections: ['advisor'],
  },
  {
    title: 'Notifications',
    about: 'What is worth a message',
    sections: ['notify', 'notifiers', 'telegram'],
  },
  { title: 'Everything else', about: '', sections: [] },
];

export default function Settings() {
  const { value, error, reload } = useGet<{ readonly file: string; readonly settings: readonly Setting[] }>(
    '/settings',
  );
  const [group, setGroup] = useState('Display');
  const all = value?.settings ?? [];
  const named = GROUPS.flatMap(({ sections }) => sections);
  const of = (sections: readonly string[]): readonly Setting[] =>
    all.filter(({ path }) =>
      sections.length > 0 ? sections.includes(path.split('.')[0]) : !named.includes(path.split('.')[0]),
    );
  const current = GROUPS.find(({ title }) => title === group);
  return (
    <Page
      title="Settings"
      about={
        value === undefined
          ? ''
          : `Written into ${value.file}, whose comments stay, and checked as the command line does.`
      }
    >
      <Fault error={error} />
      <Choice
        label="Section"
        value={group}
        options={['Display', ...GROUPS.map(({ title }) => title), 'Secrets', 'Check', 'About']}
        onChange={setGroup}
      />
      {current !== undefined && (
        <Panel title={current.title} actions={<span class="muted">{current.about}</span>}>
          {of(current.sections).length === 0 ? (
            <Empty>{LOADING}</Empty>
          ) : (
            of(current.sections).map((setting) => (
              <OneSetting key={setting.path} setting={setting} changed={reload} />
            ))
          )}
        </Panel>
      )}
      {group === 'Display' && <Display />}
      {group === 'Secrets' && <Secrets />}
      {group === 'Check' && <Doctor />}
      {group === 'About' && <About />}
    </Page>
  );
}

const text = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

function OneSetting({ setting, changed }: { readonly setting: Setting; readonly changed: () => void }) {
  const { path, value, origin, environment, description, schema, writable } = setting;
  const [draft, setDraft] = useState<string>();
  const { busy, error, run } = useAction();
  const shown = draft ?? text(value);
  const path_ = `/settings/${encodeURIComponent(path)}`;
  const numeric = schema.type === 'number' || schema.type === 'integer';
  const choices = schema.enum?.map(String) ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  const save = (next: string): void =>
    run(() =>
      put(path_, { value: parsed(next, schema.type) }).then(() => {
        setDraft(undefined);
        changed();
      }),
    );
  const overruled = origin === 'environment' || origin === 'flag';
  return (
    <form
      class="setting"
      onSubmit={(event) => {
        event.preventDefault();
        save(shown);
      }}
    >
      <Field
        label={path}
        hint={
          <>
            {overruled || !writable ? `${description}.` : description}
            {overruled &&
              ` Set by ${origin === 'flag' ? 'the command line' : environment}, which wins over the file.`}
            {!writable && ' Changed in a terminal alone.'}
          </>
        }
      >
        {(props) =>
          choices !== undefined ? (
            <select
              {...props}
              value={shown}
              disabled={!writable || busy}
              onChange={(event) => save(event.currentTarget.value)}
            >
              {!choices.includes(shown) && <option value={shown}>{shown === '' ? 'not set' : shown}</option>}
              {choices.map((choice) => (
                <option key={choice} value={choice}>
                  {choice}
                </option>
              ))}
            </select>
          ) : (
            <input
              {...props}
              {...(numeric ? { type: 'number' as const } : { type: 'text' as const, list: undefined })}
              step={schema.type === 'integer' ? 1 : 'any'}
              value={shown}
              placeholder="not set"
              disabled={!writable || busy}
              onInput={(event) => setDraft(event.currentTarget.value)}
            />
          )
        }
      </Field>
      <span class="row tight">
        <Badge
          {...(origin === 'file' ? { kind: 'info' as const } : overruled ? { kind: 'warn' as const } : {})}
        >
          {origin}
        </Badge>
        {draft !== undefined && draft !== text(value) && (
          <button type="submit" class="primary" disabled={busy}>
            Save
          </button>
        )}
        {origin === 'file' && writable && (
          <button
            type="button"
            class="quiet"
            disabled={busy}
            onClick={() => run(() => remove(path_).then(changed))}
          >
            Default
          </button>
        )}
      </span>
      <Fault error={error} />
    </form>
  );
}

function parsed(next: string, type: string | undefined): unknown {
  if (type === 'number' || type === 'integer') return next === '' ? null : Number(next);
  if (type === 'boolean') return next === 'true';
  if (type === 'array' || type === 'object') {
    try {
      return JSON.parse(next);
    } catch {
      return next.split(',').map((one) => one.trim());
    }
  }
  return next;
}

function Display() {
  return (
    <Panel title="Display" actions={<span class="muted">of this browser alone</span>}>
      <div class="setting">
        <span>Theme</span>
        <Choice
          label="Theme"
          value={theme.value}
          options={['system', 'dark', 'light']}
          onChange={(value) => (theme.value = value)}
        />
      </div>
      <div class="setting">
        <span>Candles</span>
        <Choice
          label="Candles"
          value={candleStyle.value}
          options={['filled', 'hollow', 'bars']}
          onChange={(value) => (candleStyle.value = value)}
        />
      </div>
      <div class="setting">
        <span>Up and down</span>
        <Choice
          label="Up and down"
          value={palette.value}
          options={[
            { value: 'classic', text: 'green and red' },
            { value: 'blue-orange', text: 'blue and orange' },
          ]}
          onChange={(value) => (palette.value = value)}
        />
      </div>
      <p class="muted">
        Keys: <kbd>g</kbd> then <kbd>d</kbd> dashboard, <kbd>m</kbd> markets, <kbd>t</kbd> training,{' '}
        <kbd>p</kbd> predictions, <kbd>b</kbd> backtests, <kbd>o</kbd> portfolio, <kbd>a</kbd> paper,{' '}
        <kbd>l</kbd> live, <kbd>n</kbd> texts, <kbd>v</kbd> advisor, <kbd>j</kbd> jobs, <kbd>s</kbd> settings.
        In a chart: drag to look closer, double-click to see all.
      </p>
    </Panel>
  );
}

function Secrets() {
  const { value, error, reload } = useGet<{
    readonly secrets: readonly { readonly name: string; readonly about: string; readonly set: boolean }[];
  }>('/secrets');
  return (
    <Panel
      title="Secrets"
      actions={<span class="muted">into .env, readable by its owner alone; they never come back</span>}
    >
      <Fault error={error} />
      <p class="muted">
        None is needed: candles are public, and paper trading sends no order. Keys should be read-only.
      </p>
      {value?.secrets.map((secret) => (
        <Secret key={secret.name} {...secret} changed={reload} />
      ))}
    </Panel>
  );
}

function Secret({
  name,
  about,
  set,
  changed,
}: {
  readonly name: string;
  readonly about: string;
  readonly set: boolean;
  readonly changed: () => void;
}) {
  const [draft, setDraft] = useState('');
  const { busy, error, run } = useAction();
  const save = (value: string): void =>
    run(() =>
      put(`/secrets/${name}`, { value }).then(() => {
        setDraft('');
        changed();
      }),
    );
  return (
    <form
      class="setting"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft !== '') save(draft);
      }}
    >
      <Field label={name} hint={about}>
        {(props) => (
          <input
            {...props}
            type="password"
            autocomplete="off"
            value={draft}
            placeholder={set ? 'set; write another to replace it' : 'not set'}
            onInput={(event) => setDraft(event.currentTarget.value)}
          />
        )}
      </Field>
      <span class="row tight">
        <Badge {...(set && { kind: 'good' as const })}>{set ? 'set' : 'not set'}</Badge>
        {draft !== '' && (
          <button type="submit" class="primary" disabled={busy}>
            Save
          </button>
        )}
        {set && (
          <button type="button" class="quiet" disabled={busy} onClick={() => save('')}>
            Remove
          </button>
        )}
      </span>
      <Fault error={error} />
    </form>
  );
}

interface Checked {
  readonly healthy: boolean;
  readonly checks: readonly {
    readonly check: string;
    readonly status: string;
    readonly found: string;
    readonly advice?: string;
  }[];
}

function Doctor() {
  const { job, result } = useJob<Checked>(({ kind }) => kind === 'doctor');
  return (
    <Panel title="Check this machine">
      <p class="muted">
        Node, engine, settings, exchange, clock and stored data: what is wrong, and what to do.
      </p>
      <JobPanel job={job} request={{ kind: 'doctor' }} label="Check" />
      <ul class="sentences">
        {result?.checks.map(({ check, status, found, advice }) => (
          <li key={check}>
            <Badge kind={status === 'ok' ? 'good' : status === 'fail' ? 'bad' : 'warn'}>{status}</Badge>{' '}
            <b>{check}</b> {found} <span class="muted">{advice}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function About() {
  return (
    <Panel title="About">
      <p>
        This page is served by <code>crypto-trader serve</code> on your machine. It loads nothing from
        elsewhere and reports to nobody. Programs use the same <a href="#/api">API</a>.
      </p>
      <p>
        Charts:{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer">
          TradingView
        </a>{' '}
        Lightweight Charts™, Copyright (c) 2025 TradingView, Inc., and uPlot.{' '}
        <a href="/NOTICE.txt">Notices</a>.
      </p>
    </Panel>
  );
}
