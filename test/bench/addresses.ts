/** Name in the certificate of every endpoint of the bench. */
export const NAME = 'emr.hospital.test';

/** Loopback has sixteen million addresses: one for each device of a bench. */
export function deviceAddress(index: number): string {
  return `127.9.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}
