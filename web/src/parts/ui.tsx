import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { tone } from '../format.ts';

export function Page({
  title,
  about,
  actions,
  children,
}: {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{title}</h1>
          {about !== undefined && <p class="muted">{about}</p>}
        </div>
        {actions !== undefined && <div class="row">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export function Panel({
  title,
  actions,
  children,
  wide,
  flush,
}: {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Over the whole width of a grid. */
  readonly wide?: boolean;
  /** Its content goes to its edges, as tables do. */
  readonly flush?: boolean;
}) {
  const id = useId();
  return (
    <section
      class={`panel${wide === true ? ' wide' : ''}${flush === true ? ' flush' : ''}`}
      aria-labelledby={id}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {actions}
      </header>
      <div class="body">{children}</div>
    </section>
  );
}

export function Stat({
  label,
  value,
  note,
  of,
  small,
}: {
  readonly label: string;
  readonly value: string;
  readonly note?: ComponentChildren;
  /** Its sign decides on the colour. */
  readonly of?: number | null | undefined;
  /** Words, not a number. */
  readonly small?: boolean;
}) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd class={`${tone(of)}${small === true ? ' small' : ''}`}>{value}</dd>
      {note !== undefined && <dd class="note">{note}</dd>}
    </div>
  );
}

export const Stats = ({ children }: { readonly children: ComponentChildren }) => (
  <dl class="stats">{children}</dl>
);

export function Badge({
  children,
  kind,
}: {
  readonly children: ComponentChildren;
  readonly kind?: 'good' | 'bad' | 'warn' | 'info';
}) {
  return <span class={`badge ${kind ?? ''}`}>{children}</span>;
}

export const Synthetic = () => <Badge kind="warn">SYNTHETIC</Badge>;

export function Fault({ error }: { readonly error: Pick<ApiError, 'message' | 'hint'> | undefined }) {
  if (error === undefined) return null;
  return (
    <p class="fault" role="alert">
      <strong>{error.message}</strong> {error.hint}
    </p>
  );
}

/** Instead of what is not there yet, where "nothing" would be wrong. */
export const LOADING = 'Loading…';

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly children: (props: { id: string; 'aria-describedby'?: string }) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(hint !== undefined && { 'aria-describedby': `${id}-hint` }) })}
      {hint !== undefined && (
        <small id={`${id}-hint`} class="muted">
          {hint}
        </small>
      )}
    </div>
  );
}

export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
  hint,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (T | { readonly value: T; readonly text: string })[];
  readonly onChange: (value: T) => void;
  readonly hint?: ComponentChildren;
}) {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <select {...props} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
          {options.map((option) => {
            const { value: one, text } =
              typeof option === 'string' ? { value: option, text: option } : option;
            return (
              <option key={one} value={one}>
                {text}
              </option>
            );
          })}
        </select>
      )}
    </Field>
  );
}

export function Text({
  label,
  value,
  onChange,
  hint,
  type,
  placeholder,
  ...rest
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly type?: 'text' | 'number' | 'date' | 'password';
  readonly placeholder?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | 'any';
  readonly autocomplete?: 'off' | 'current-password';
}) {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <input
          {...props}
          {...rest}
          // Apart from the rest: the types tell inputs apart by it, and all of ours have the same attributes.
          {...({ type: type ?? 'text' } as object)}
          placeholder={placeholder}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function Check({
  label,
  checked,
  onChange,
}: {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** A few choices side by side, of which one holds. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (T | { readonly value: T; readonly text: string })[];
  readonly onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map((option) => {
        const { value: one, text } = typeof option === 'string' ? { value: option, text: option } : option;
        return (
          <label key={one} class={one === value ? 'on' : ''}>
            <input type="radio" name={name} checked={one === value} onChange={() => onChange(one)} />
            {text}
          </label>
        );
      })}
    </fieldset>
  );
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand right, so that their digits stand below one another. */
  readonly number?: boolean;
  /** Left out where the page is narrow. */
  readonly less?: boolean;
}

export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  onRow,
  selected,
}: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row, index: number) => string;
  readonly onRow?: (row: Row) => void;
  readonly selected?: string | undefined;
}) {
  return (
    <div class="table-wrap" role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, number, less }) => (
              <th
                key={head}
                scope="col"
                class={`${number === true ? 'number' : ''}${less === true ? ' less' : ''}`}
              >
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => {
            const key = keyOf(row, index);
            return (
              <tr
                key={key}
                class={`${onRow === undefined ? '' : 'pick'}${selected === key ? ' selected' : ''}`}
                {...(onRow !== undefined && { onClick: () => onRow(row) })}
              >
                {columns.map(({ head, cell, number, less }, i) => (
                  <td key={head} class={`${number === true ? 'number' : ''}${less === true ? ' less' : ''}`}>
                    {i === 0 && onRow !== undefined ? (
                      <button
                        type="button"
                        class="link"
                        onClick={(event) => (event.stopPropagation(), onRow(row))}
                      >
                        {cell(row)}
                      </button>
                    ) : (
                      cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const ROW = 28;

/** A table of any length: only the rows in sight exist. Arrow keys, Page Up and Down scroll it. */
export function LongTable<Row>({
  caption,
  columns,
  rows,
  onRow,
  height = 360,
}: {
  readonly caption: string;
  readonly columns: readonly (Column<Row> & { readonly width: string })[];
  readonly rows: readonly Row[];
  readonly onRow?: (row: Row, index: number) => void;
  readonly height?: number;
}) {
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / ROW) - 5);
  const shown = rows.slice(first, first + Math.ceil(height / ROW) + 10);
  const grid = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') };
  return (
    <div
      class="long-table"
      role="table"
      aria-label={caption}
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      style={{ maxHeight: `${height}px` }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div role="row" aria-rowindex={1} class="head" style={grid}>
        {columns.map(({ head, number }) => (
          <span key={head} role="columnheader" class={number === true ? 'number' : ''}>
            {head}
          </span>
        ))}
      </div>
      <div role="rowgroup" class="space" style={{ height: `${rows.length * ROW}px` }}>
        {shown.map((row, i) => (
          <div
            key={first + i}
            role="row"
            aria-rowindex={first + i + 2}
            class={onRow === undefined ? 'line' : 'line pick'}
            style={{ ...grid, transform: `translateY(${(first + i) * ROW}px)` }}
            {...(onRow !== undefined && { onClick: () => onRow(row, first + i) })}
          >
            {columns.map(({ head, cell, number }, c) => (
              <span key={head} role="cell" class={number === true ? 'number' : ''}>
                {c === 0 && onRow !== undefined ? (
                  <button
                    type="button"
                    class="link"
                    onClick={(event) => (event.stopPropagation(), onRow(row, first + i))}
                  >
                    {cell(row)}
                  </button>
                ) : (
                  cell(row)
                )}
              </span>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

/** A share as a bar, with its value in words for those who do not see it. */
export function Meter({
  value,
  most = 1,
  text,
  kind,
}: {
  readonly value: number;
  readonly most?: number;
  readonly text: string;
  readonly kind?: 'good' | 'bad' | 'warn';
}) {
  const share = Math.max(0, Math.min(1, most > 0 ? value / most : 0));
  return (
    <span class={`meter ${kind ?? ''}`} role="img" aria-label={text}>
      <span style={{ width: `${100 * share}%` }} />
    </span>
  );
}
