const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const TIME = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** ISO 8601 → `23 Nov 2026`; what is no date stays as it is. */
export function showDate(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : DATE.format(time);
}

/** ISO 8601 → `23 Nov 2026, 10:15 UTC`. UTC, because the bundle is read in other time zones. */
export function showTime(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : `${TIME.format(time)} UTC`;
}

/** A sentence with each time of ISO 8601 in it as `showTime` gives it. */
export function showTimesIn(sentence: string): string {
  return sentence.replace(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, showTime);
}

/** Hex digest → groups of four, as people compare them. */
export function showFingerprint(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, '$1 ');
}

const ABBREVIATIONS = new Set(['ae', 'cn', 'dn', 'dns', 'hl7', 'id', 'ip', 'ldap', 'pem', 'sid', 'ssl', 'tls', 'url']);

/** `lastLogonCount` → `Last logon count`; `tls10` → `TLS 1.0`; abbreviations in capitals. */
export function showName(name: string): string {
  const version = /^(tls|ssl)(\d)(\d)$/.exec(name);
  if (version !== null) return `${version[1]?.toUpperCase()} ${version[2]}.${version[3]}`;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[\s._-]+/)
    .map((word) =>
      ABBREVIATIONS.has(word.toLowerCase()) ? word.toUpperCase() : /^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word,
    );
  return words.join(' ').replace(/^./, (first) => first.toUpperCase());
}

/** ISO 8601 duration → words, e.g. `P90D` → `90 days`. */
export function showDuration(duration: string): string {
  const match = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?/.exec(duration);
  if (match === null) return duration;
  const units = ['year', 'month', 'week', 'day'];
  const parts = units.flatMap((unit, index) => {
    const count = match[index + 1];
    return count === undefined ? [] : [`${count} ${unit}${count === '1' ? '' : 's'}`];
  });
  return parts.length === 0 ? duration : parts.join(' ');
}

/** `1 item`, `2 items`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
