/** Every shortcut with what it does, as the help sheet lists them. `keys` are `KeyboardEvent.key` values. */
export const SHORTCUTS = [
  { id: 'next', keys: ['j', 'ArrowDown'], shown: ['j', '↓'], does: 'Next step', where: 'walk' },
  { id: 'previous', keys: ['k', 'ArrowUp'], shown: ['k', '↑'], does: 'Previous step', where: 'walk' },
  { id: 'open', keys: ['Enter'], shown: ['Enter'], does: 'Read the chosen step', where: 'walk' },
  { id: 'run', keys: ['r'], shown: ['r'], does: 'Run the checks of this step', where: 'walk' },
  { id: 'run-all', keys: ['R'], shown: ['Shift', 'r'], does: 'Run all checks', where: 'walk' },
  { id: 'cancel', keys: ['c'], shown: ['c'], does: 'Cancel what runs', where: 'walk' },
  { id: 'next-todo', keys: ['n'], shown: ['n'], does: 'Next step that is still to do', where: 'walk' },
  { id: 'filter', keys: ['f'], shown: ['f'], does: 'Change the filter: all, to do, failing', where: 'walk' },
  { id: 'help', keys: ['?'], shown: ['?'], does: 'Show or hide this list', where: 'everywhere' },
] as const;

export type ShortcutId = (typeof SHORTCUTS)[number]['id'];

/** Which shortcut a key press is; none while somebody types, or with Ctrl, Alt or Meta held. */
export function shortcutOf(event: KeyboardEvent): ShortcutId | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return undefined;
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  if (target?.closest('input, textarea, select, [contenteditable]') != null) return undefined;
  const shortcut = SHORTCUTS.find((entry) => (entry.keys as readonly string[]).includes(event.key));
  if (shortcut === undefined) return undefined;
  // Arrows scroll a pane and Enter presses a button; there they keep their own meaning.
  const own = event.key === 'Enter' || event.key.startsWith('Arrow');
  if (own && target !== undefined && target !== document.body && target.closest('[data-steps]') === null)
    return undefined;
  return shortcut.id;
}
