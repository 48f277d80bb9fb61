import type { Session } from 'electron';

/** Every permission that Electron knows: a line that is missing below does not compile. */
export type Permission = Parameters<NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>>[1];

const no = (why: string) => ({ allow: false, why }) as const;
const yes = (why: string) => ({ allow: true, why }) as const;

/** What the page may do beyond showing itself. A permission that a newer Electron knows and this table does not is refused. */
export const PERMISSIONS: Readonly<Record<Permission, { readonly allow: boolean; readonly why: string }>> = {
  'clipboard-sanitized-write': yes('the page copies fingerprints and the lines that verify a bundle, on a click'),
  'clipboard-read': no('pasting goes through the Edit menu; a page that reads the clipboard could read a password'),
  'deprecated-sync-clipboard-read': no('as clipboard-read'),
  ar: no('nothing is shown in space'),
  'automatic-fullscreen': no('a full screen can imitate the system'),
  'background-fetch': no('the page loads nothing from a network'),
  'background-sync': no('the page loads nothing from a network'),
  'captured-surface-control': no('nothing is captured'),
  'display-capture': no('evidence is attached as files that the person chooses'),
  fileSystem: no('files are chosen in the dialog of main and cross as handles'),
  fullscreen: no('a full screen can imitate the system'),
  geolocation: no('the site file says where the hospital is'),
  'geolocation-approximate': no('as geolocation'),
  'hand-tracking': no('no such device is used'),
  hid: no('no device is reached from the page'),
  'idle-detection': no('nobody watches whether the person works'),
  keyboardLock: no("the system's keys stay the system's"),
  'local-fonts': no('the font ships with the app; a list of fonts identifies a machine'),
  'local-network': no('the engine probes, the page never does'),
  'local-network-access': no('the engine probes, the page never does'),
  'loopback-network': no('the engine probes, the page never does'),
  media: no('photographs are attached as files; no camera, no microphone'),
  mediaKeySystem: no('no protected media is played'),
  midi: no('no such device is used'),
  midiSysex: no('no such device is used'),
  nfc: no('no such device is used'),
  notifications: no('everything that matters is said in the window'),
  openExternal: no('main alone opens a report, and only one that it produced'),
  'payment-handler': no('nothing is paid for'),
  'periodic-background-sync': no('the page loads nothing from a network'),
  'persistent-storage': no('the page stores nothing; main owns the state'),
  pointerLock: no('no page here needs the pointer'),
  'screen-wake-lock': no('a run goes on without it'),
  sensors: no('no sensor is read'),
  serial: no('no device is reached from the page'),
  'smart-card': no('keys are used in the engine, never in the page'),
  'speaker-selection': no('nothing is played'),
  'storage-access': no('the page stores nothing'),
  'system-wake-lock': no('a run goes on without it'),
  'top-level-storage-access': no('the page stores nothing'),
  usb: no('no device is reached from the page'),
  vr: no('nothing is shown in space'),
  'web-app-installation': no('the app is installed already'),
  'web-printing': no('a report is printed from the program that shows it'),
  'window-management': no('one window, placed by the person'),
  unknown: no('what has no name gets no right'),
};

/** Whether the table allows it; no for every name that it does not hold. */
export function isAllowed(permission: string): boolean {
  return Object.hasOwn(PERMISSIONS, permission) && PERMISSIONS[permission as Permission].allow;
}
