import { readFileSync } from 'node:fs';
import { platform, resourceUsage } from 'node:process';

/**
 * Largest resident size of this process, in MB. From the kernel's own mark where there is one: what `getrusage` tells
 * begins with the size of the process that started this one.
 */
export function peakMegabytes(): number {
  const mark =
    platform === 'linux' ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] : undefined;
  return (mark === undefined ? resourceUsage().maxRSS : Number(mark)) / 1024;
}
