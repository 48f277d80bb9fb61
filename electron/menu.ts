import { app, Menu, type MenuItemConstructorOptions, nativeTheme } from 'electron';
import type { Push } from '../core/ipc.ts';
import { TRUST_ROLES, type TrustRole } from './trust.ts';

export type MenuCommand = Extract<Push, { kind: 'menu' }>['command'];
export type Appearance = 'system' | 'light' | 'dark';

export type MenuOptions = {
  readonly onCommand: (command: MenuCommand) => void;
  readonly onAppearance: (appearance: Appearance) => void;
  readonly onTrust: (role: TrustRole) => void;
  readonly onAbout: () => void;
  readonly developer: boolean;
};

const ROLE_LABELS: Readonly<Record<TrustRole, string>> = {
  engineer: 'Root of &Engineers…',
  hospital: 'Root of a &Hospital…',
  publisher: 'Root of a Guide &Publisher…',
  timestamp: 'Root of a &Time-Stamp Authority…',
};

/** Sets the application menu. Commands go to the page, which knows whether they make sense where it stands. */
export function setMenu({ onCommand, onAppearance, onTrust, onAbout, developer }: MenuOptions): void {
  const plain = (label: string, command: MenuCommand): MenuItemConstructorOptions => ({
    id: command,
    label,
    click: () => onCommand(command),
  });
  const item = (label: string, accelerator: string, command: MenuCommand): MenuItemConstructorOptions => ({
    ...plain(label, command),
    accelerator,
  });
  const appearance = (label: string, value: Appearance): MenuItemConstructorOptions => ({
    id: `appearance-${value}`,
    label,
    type: 'radio',
    checked: nativeTheme.themeSource === value,
    click: () => onAppearance(value),
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const mac = process.platform === 'darwin';

  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    {
      label: '&File',
      submenu: [
        item('Open &Guide…', 'CmdOrCtrl+O', 'open-guide'),
        item('Open a &Bundle…', 'CmdOrCtrl+Shift+O', 'open-bundle'),
        separator,
        plain('&Hand This Session Over…', 'hand-over'),
        plain('Ta&ke a Session Over…', 'take-over'),
        separator,
        {
          label: '&Trust',
          submenu: TRUST_ROLES.map((role) => ({
            id: `trust-${role}`,
            label: ROLE_LABELS[role],
            click: () => onTrust(role),
          })),
        },
        separator,
        mac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&Walk',
      submenu: [
        item('&Run', 'CmdOrCtrl+Enter', 'run'),
        separator,
        item('&Next', 'CmdOrCtrl+Down', 'next'),
        item('&Previous', 'CmdOrCtrl+Up', 'previous'),
      ],
    },
    {
      label: '&View',
      submenu: [
        {
          label: '&Appearance',
          submenu: [appearance('As the &System', 'system'), appearance('&Light', 'light'), appearance('&Dark', 'dark')],
        },
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
        ...(developer ? [{ role: 'toggleDevTools' } as const] : []),
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        item('Lockstep &Help', 'F1', 'help'),
        ...(mac ? [] : [separator, { label: `&About ${app.name}`, click: onAbout }]),
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
