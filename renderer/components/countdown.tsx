import { Timer } from 'lucide-react';
import { count } from '../lib/format.ts';
import { useTimeLeft } from '../lib/use-time-left.ts';

/** Seconds from which on the time is drawn as short. */
const SHORT = 10;

/** How long a question still waits, and what happens then. Said aloud at a few moments, not each second. */
export function Countdown({ until, then }: { until: string; then: string }) {
  const { seconds, share, moment } = useTimeLeft(until);
  const short = seconds <= SHORT;
  return (
    <div className="grid gap-2 rounded-md border border-line bg-sunken px-3 py-2.5" data-countdown>
      <p className="flex items-center gap-2 text-sm text-soft">
        <Timer aria-hidden className="size-4 shrink-0" />
        <span className="flex-1">{seconds === 0 ? 'The time is over.' : 'Time left'}</span>
        <span
          role="timer"
          aria-label="Time left"
          className={`text-lg font-semibold tabular-nums ${short ? 'text-error' : 'text-ink'}`}
        >
          {clock(seconds)}
        </span>
      </p>
      <div aria-hidden className="h-1 overflow-hidden rounded-full bg-line">
        <div
          className={`h-full rounded-full transition-[width] duration-1000 ease-linear ${short ? 'bg-error' : 'bg-accent'}`}
          style={{ width: `${share * 100}%` }}
        />
      </div>
      <p className="text-sm text-pretty">{then}</p>
      <p role="status" className="sr-only">
        {moment === undefined ? '' : moment === 0 ? 'The time is over.' : `${spoken(moment)} left.`}
      </p>
    </div>
  );
}

/** Seconds → `2:05`. */
function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function spoken(seconds: number): string {
  return seconds >= 60 ? count(seconds / 60, 'minute') : count(seconds, 'second');
}
