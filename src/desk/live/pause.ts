/** Between two polls, whatever fails. */
export const LONGEST_PAUSE_MS = 300_000;
