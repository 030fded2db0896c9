/** What one check found out. */
export interface Finding {
  /** Of the check: `CHECKS`. */
  readonly check: string;
  /**
   * `failed`: the result is wrong, or not what it says. `warned`: it is right and fragile. `skipped`: it could not be
   * tried, and `text` says why.
   */
  readonly verdict: 'passed' | 'failed' | 'warned' | 'skipped';
  /** The figure that the verdict rests on, with its unit; absent where there is none. */
  readonly figure?: string;
  readonly text: string;
}

export type Outcome = Omit<Finding, 'check'>;

export const passed = (text: string, figure?: string): Outcome => outcome('passed', text, figure);
export const failed = (text: string, figure?: string): Outcome => outcome('failed', text, figure);
export const warned = (text: string, figure?: string): Outcome => outcome('warned', text, figure);
export const skipped = (text: string): Outcome => outcome('skipped', text, undefined);

const outcome = (verdict: Finding['verdict'], text: string, figure: string | undefined): Outcome => ({
  verdict,
  text,
  ...(figure !== undefined && { figure }),
});
