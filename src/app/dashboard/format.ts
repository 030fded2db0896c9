/** `12 345.67`, with a narrow set of digits: two decimals from 1 on, five significant digits below. */
export function price(value: number): string {
  const digits = Math.abs(value) >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(5)));
  return digits.replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ' ');
}

export const amount = (value: number): string => String(Number(value.toPrecision(6)));

/** `+1.23 %`; the sign is always there, so that colour is not needed to read it. */
export const percent = (value: number): string => `${sign(value)}${Math.abs(value).toFixed(2)} %`;

export const signed = (value: number): string => `${sign(value)}${price(Math.abs(value))}`;

const sign = (value: number): string => (value < 0 ? '-' : '+');

/** `2026-02-12 23:00`, UTC. */
export const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** `long 50 %`, `flat`, `short 100 %`. */
export function target(position: number): string {
  const share = Math.round(100 * Math.abs(position));
  return share === 0 ? 'flat' : `${position > 0 ? 'long' : 'short'} ${share} %`;
}

/** `█████░░░░░`. */
export function bar(share: number, cells: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * cells);
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}`;
}
