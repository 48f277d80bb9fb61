import type { FileEdit } from '../../core/changes/ssh-file.ts';
import { ok, type Result } from '../../core/result.ts';
import type { SshConnection } from '../wire/ssh.ts';
import { failed, runScript } from '../wire/ssh-files.ts';

/** What a device does to go back: its file, what it was (undefined: there was none), and the command that makes it count. */
export type WayBack = { readonly path: string; readonly keep: string | undefined; readonly restart: string };

/** Longest that a device may need to go back once it has begun. */
export const GOING_BACK_MS = 60_000;

/** A marker file beside the old version: whoever takes it away first, the operator's confirmation or the job, decides. */
export function markerOf(keep: string): string {
  return `${keep}.armed`;
}

/**
 * Starts a job on the device that puts the old file back after `seconds`, whatever becomes of the connection, unless the
 * marker is gone by then. Before there is an old version at `keep` it does nothing. Errors: those of `exec`, `ssh.protocol`.
 */
export async function armRevert(
  ssh: SshConnection,
  marker: string,
  back: WayBack,
  seconds: number,
): Promise<Result<void>> {
  const ran = await runScript(ssh, `${GO_BACK}${ARM}`, [marker, ...argsOf(back), String(seconds)]);
  if (!ran.ok) return ran;
  return ran.value.code === 0
    ? ok(undefined)
    : failed('The device cannot be told to undo the change by itself.', ssh.place, ran.value);
}

/** Takes the marker away, so that the change stays. @returns false where the device has begun to go back */
export async function disarmRevert(ssh: SshConnection, marker: string): Promise<Result<boolean>> {
  const ran = await runScript(ssh, 'mv -f -- "$1" "$1.confirmed" 2>/dev/null && rm -f -- "$1.confirmed"', [marker]);
  return ran.ok ? ok(ran.value.code === 0) : ran;
}

/**
 * Has the device go back at once, where it has not yet. Errors: those of `exec`; `ssh.protocol` where it failed.
 * @param armed false: no job waits, so nobody else can be doing it
 */
export async function revertNow(
  ssh: SshConnection,
  marker: string,
  back: WayBack,
  { armed }: { armed: boolean },
): Promise<Result<void>> {
  const script = `${GO_BACK}${armed ? '' : ': > "$1"; '}go_back "$@"`;
  const ran = await runScript(ssh, script, [marker, ...argsOf(back)], { deadlineMs: GOING_BACK_MS });
  if (!ran.ok) return ran;
  return ran.value.code === 0 ? ok(undefined) : failed('The old version could not be put back.', ssh.place, ran.value);
}

/** Whether a job waits on the device or is going back at this moment. */
export async function revertPending(ssh: SshConnection, marker: string): Promise<Result<boolean>> {
  const ran = await runScript(ssh, '[ -e "$1" ] || [ -e "$1.now" ]', [marker]);
  return ran.ok ? ok(ran.value.code === 0) : ran;
}

function argsOf({ path, keep, restart }: WayBack): readonly string[] {
  return [path, keep ?? '', restart];
}

// go_back MARKER PATH KEEP RESTART. Renaming the marker is one step, so the change is confirmed or undone, never both.
const GO_BACK = `
go_back() {
  mv -- "$1" "$1.now" 2>/dev/null || return 0
  if [ -z "$3" ]; then rm -f -- "$2"; elif [ -e "$3" ]; then mv -f -- "$3" "$2"; fi
  code=$?
  [ -z "$4" ] || sh -c "$4" || code=$?
  rm -f -- "$1.now"
  return $code
}
`;

// The job must outlive the log-in: no terminal, none of its channels, a session of its own where the device can.
const ARM = `
umask 077
: > "$1" || exit 50
(
  trap '' HUP
  sleep "$5"
  go_back "$1" "$2" "$3" "$4"
) </dev/null >/dev/null 2>&1 &
`;

const OWN_WAY =
  /^\/etc\/(?:ssh|pam\.d|security|nftables|iptables|ufw|firewalld|network|netplan|NetworkManager|systemd\/network|hosts\.(?:allow|deny)|passwd|shadow|group|sudoers|login\.access)|\/sshd?_config|\/authorized_keys|\/dropbear/i;
const OWN_SERVICE =
  /\b(?:sshd?|dropbear|nft|nftables|iptables|ip6tables|ufw|firewalld?|networking|NetworkManager|netplan|ifup|ifdown|reboot)\b/i;

/** Whether a change can be seen to touch the way by which it is made: SSH, log-ins, firewall, network. */
export function touchesOwnWay(path: string, restart: string | undefined, edits: readonly FileEdit[]): boolean {
  const text = JSON.stringify(edits);
  return OWN_WAY.test(path) || OWN_SERVICE.test(restart ?? '') || /\bsshd?\b.*(?:Port|AllowUsers|DenyUsers)/.test(text);
}
