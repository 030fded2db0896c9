/** A token bucket: `burst` at once, `perSecond` in the long run. */
export function createBucket(
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  now: () => number = () => performance.now(),
): { take(): boolean } {
  let level = burst;
  let at = now();
  return {
    take: () => {
      const time = now();
      level = Math.min(burst, level + ((time - at) / 1000) * perSecond);
      at = time;
      if (level < 1) return false;
      level -= 1;
      return true;
    },
  };
}
