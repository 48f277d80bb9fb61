import './strict-policy.ts';
import type { TrustRole } from '../../core/bundle/trust.ts';
import { verifyContainer } from '../../core/bundle/verify.ts';
import { verifyJudged } from '../../core/bundle/verify-judged.ts';
import { blobSource, browserHost } from './browser-host.ts';
import { byId, element } from './elements.ts';
import { showBreakdown, showError, showVerification } from './result.ts';
import { readRoots, type Root } from './roots.ts';

const ROLES: readonly TrustRole[] = ['engineer', 'hospital', 'publisher', 'timestamp'];

const roots: Record<TrustRole, readonly Root[]> = { engineer: [], hospital: [], publisher: [], timestamp: [] };
let bundle: File | undefined;
/** Counts the checks, so that the result of an older one never stands beside a newer choice. */
let run = 0;

const form = byId('form', HTMLFormElement);
const status = byId('status', HTMLElement);
const result = byId('result', HTMLElement);
const chosen = byId('chosen', HTMLElement);
const chooser = byId('bundle', HTMLInputElement);
const drop = byId('drop', HTMLElement);

/** Whatever was shown holds for other choices than those made now. */
function forget(): void {
  run++;
  result.replaceChildren();
  status.textContent = '';
}

function chooseBundle(file: File | undefined): void {
  forget();
  bundle = file;
  chosen.textContent = file === undefined ? 'No file chosen.' : `${file.name}, ${file.size.toLocaleString('en')} bytes`;
}

async function chooseRoots(role: TrustRole, files: readonly File[]): Promise<void> {
  forget();
  roots[role] = [];
  const shown = byId(`${role}-roots`, HTMLElement);
  shown.replaceChildren();
  try {
    const found = (await Promise.all(files.map(readRoots))).flat();
    roots[role] = found;
    shown.replaceChildren(
      ...found.map(({ name, fingerprint }) =>
        element('li', {}, `${name} `, element('code', { class: 'quiet' }, `SHA-256 ${fingerprint}`)),
      ),
    );
  } catch (error) {
    shown.replaceChildren(element('li', { class: 'bad' }, error instanceof Error ? error.message : String(error)));
  }
}

async function check(): Promise<void> {
  forget();
  const file = bundle;
  if (file === undefined) {
    status.textContent = 'Choose a bundle first.';
    chooser.focus();
    return;
  }
  const mine = run;
  const date = byId('at', HTMLInputElement).value;
  const at = date === '' ? new Date() : new Date(date);
  status.textContent = 'Checking …';
  let shown: HTMLElement;
  try {
    const trust = Object.fromEntries(ROLES.map((role) => [role, roots[role].map((root) => root.pem)]));
    const found = await verifyJudged((options) => verifyContainer(blobSource(file), browserHost, options), trust, at);
    shown = found.ok ? showVerification(file.name, at, found.value) : showError(file.name, found.error);
  } catch (error) {
    shown = showBreakdown(error);
  }
  if (mine !== run) return;
  status.textContent = 'Checked.';
  result.replaceChildren(shown);
  document.getElementById('headline')?.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void check();
});
chooser.addEventListener('change', () => chooseBundle(chooser.files?.[0]));
byId('at', HTMLInputElement).addEventListener('change', forget);
for (const role of ROLES) {
  const input = byId(role, HTMLInputElement);
  input.addEventListener('change', () => void chooseRoots(role, [...(input.files ?? [])]));
}
// A file dropped anywhere would otherwise take the page's place.
for (const name of ['dragover', 'drop'] as const)
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', name === 'dragover');
    if (name !== 'drop') return;
    const file = event.dataTransfer?.files[0];
    if (file === undefined || event.target instanceof HTMLInputElement) return;
    chooser.value = '';
    chooseBundle(file);
  });
document.addEventListener('dragleave', () => drop.classList.remove('over'));

if (globalThis.crypto?.subtle === undefined) {
  status.textContent =
    'This browser gives pages opened from a file no cryptography. Use another one, or the command "lockstep verify".';
  byId('check', HTMLButtonElement).disabled = true;
}
// What the browser kept from before a reload is not what this page knows.
form.reset();
