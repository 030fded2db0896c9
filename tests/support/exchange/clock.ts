/** The exchange's own time: stands still, or runs `speed` times as fast as the real one, until told otherwise. */
export interface VirtualClock {
  now(): number;
  set(timeMs: number): void;
  setSpeed(speed: number): void;
}

export function createClock(startMs: number, speed = 0): VirtualClock {
  let anchor = { virtualMs: startMs, realMs: performance.now(), speed };
  const now = (): number => Math.floor(anchor.virtualMs + (performance.now() - anchor.realMs) * anchor.speed);
  return {
    now,
    set: (timeMs) => {
      anchor = { ...anchor, virtualMs: timeMs, realMs: performance.now() };
    },
    setSpeed: (next) => {
      anchor = { virtualMs: now(), realMs: performance.now(), speed: next };
    },
  };
}
