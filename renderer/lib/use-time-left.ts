import { useEffect, useState } from 'react';

const SECOND = 1000;
/** Seconds before the end at which it is said aloud. */
const MOMENTS = [300, 60, 30, 10, 0];

export type TimeLeft = {
  /** Whole seconds, rounded up: 0 only when the time is over. */
  readonly seconds: number;
  /** Of the time that there was when the question came, 0 to 1. */
  readonly share: number;
  /** The last moment passed at which it is to be said aloud, in seconds before the end; undefined before the first. */
  readonly moment: number | undefined;
};

/**
 * Counts down to `until` (ISO 8601), for the eye only: whoever asked decides when the time is over. Counts by a clock that
 * nobody sets, as the engine's own timer does. Mount it anew for another question.
 */
export function useTimeLeft(until: string): TimeLeft {
  const [{ end, total }] = useState(() => {
    const left = Math.max(0, Date.parse(until) - Date.now());
    return { end: performance.now() + left, total: left };
  });
  const [left, setLeft] = useState(total);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      const now = Math.max(0, end - performance.now());
      setLeft(now);
      if (now > 0) timer = setTimeout(tick, now % SECOND || SECOND);
    };
    tick();
    return () => clearTimeout(timer);
  }, [end]);
  const seconds = Math.ceil(left / SECOND);
  const passed = MOMENTS.filter((moment) => seconds <= moment && moment * SECOND < total);
  return { seconds, share: total === 0 ? 0 : left / total, moment: passed.at(-1) };
}
