import { fail, ok, type Result } from '../core/result.ts';
import type { WriteCredential } from '../engine/changes/change.ts';
import { readSecret } from './terminal.ts';

/** The changes to apply on a headless walk, who approved them, when they may be made, and by whom. */
export type Apply = {
  /** Control ids or keys whose change is made. */
  readonly ids: readonly string[];
  /** Control ids or keys whose changes in this session are undone, the last first. */
  readonly undo: readonly string[];
  readonly ticket: string;
  readonly approver: string;
  /** Window (ISO 8601) in which they may be made. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** By control id or by the first word of the kind (`directory`, `http`); `device` for all that is none of the directory; `*` for the rest. */
  readonly credentials: ReadonlyMap<string, WriteCredential>;
};

type ApplyOptions = {
  readonly apply?: string[];
  readonly undo?: string[];
  readonly ticket?: string;
  readonly approver?: string;
  readonly windowFrom?: string;
  readonly windowUntil?: string;
  readonly writeUser?: string;
  readonly writePassword?: string;
  readonly writeFor?: string[];
};

const ANYTHING = '*';
const DEVICE = 'device';

/** The account that writes for a control whose change is of that kind; undefined where none was given. */
export function credentialFor({ credentials }: Apply, control: string, kind: string): WriteCredential | undefined {
  const [area = ''] = kind.split('.');
  return (
    credentials.get(control) ??
    credentials.get(area) ??
    (area === 'directory' ? undefined : credentials.get(DEVICE)) ??
    credentials.get(ANYTHING)
  );
}

/**
 * Reads what a walk that applies changes needs; undefined where it applies none.
 * @returns `input.malformed` where something is missing or is not what it should be
 */
export async function readApply(options: ApplyOptions): Promise<Result<Apply | undefined>> {
  if (options.apply === undefined && options.undo === undefined) return ok(undefined);
  const { ticket, approver, writeUser, writeFor = [] } = options;
  if (ticket === undefined || approver === undefined || (writeUser === undefined && writeFor.length === 0))
    return fail('input.malformed', 'A change needs --ticket, --approver and --write-user (or --write-for).');
  const window = readWindow(options.windowFrom, options.windowUntil);
  if (!window.ok) return window;
  const wanted: [what: string, user: string, source: string | undefined][] = [];
  if (writeUser !== undefined) wanted.push([ANYTHING, writeUser, options.writePassword]);
  for (const entry of writeFor) {
    // The name of an account may hold "=": a DN does.
    const [, what, user, source] = /^([^=]+)=(.+?)(?:=(env:[^=]+))?$/.exec(entry) ?? [];
    if (what === undefined || user === undefined)
      return fail('input.malformed', `"${entry}" does not say for what which account writes: device=admin=env:NAME.`);
    wanted.push([what, user, source]);
  }
  const credentials = new Map<string, WriteCredential>();
  for (const [what, user, source] of wanted) {
    const password = await readSecret(source, `password of ${user}`);
    if (!password.ok) return password;
    credentials.set(what, { user, password: password.value });
  }
  return ok({ ids: options.apply ?? [], undo: options.undo ?? [], ticket, approver, ...window.value, credentials });
}

/** The window of a change as ISO 8601 in UTC; a time without an offset is this computer's. */
function readWindow(
  from: string | undefined,
  until: string | undefined,
): Result<{ notBefore?: string; notAfter?: string }> {
  const [first, last] = [from, until].map((text) => (text === undefined ? undefined : new Date(text)));
  for (const [text, date] of [
    [from, first],
    [until, last],
  ] as const) {
    if (date !== undefined && (Number.isNaN(date.getTime()) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text ?? '')))
      return fail('input.malformed', `"${text}" is not a time such as 2026-11-24T20:00.`);
  }
  return ok({
    ...(first === undefined ? {} : { notBefore: first.toISOString() }),
    ...(last === undefined ? {} : { notAfter: last.toISOString() }),
  });
}
