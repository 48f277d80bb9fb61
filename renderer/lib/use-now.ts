import { useEffect, useState } from 'react';

/** The time, refreshed every minute, so that evidence which runs out while the page is open is marked. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
