import { create } from 'zustand';
import type { FileRef, GuideView, Input, Outputs, Push, SealedView, SiteView, Snapshot } from '../core/ipc.ts';
import type { AppError } from '../core/result.ts';
import type { JournalEvent } from '../core/session/events.ts';
import { EMPTY_STATE, reduce, reduceAll, type SessionState } from '../core/session/state.ts';
import { call } from './api.ts';
import type { Filter } from './lib/items.ts';

export type Page = 'start' | 'site' | 'gate' | 'walk' | 'review' | 'sign' | 'done' | 'verify';
export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly error: AppError };
export type Chosen<T> = { readonly file: FileRef; readonly view: T };
export type Ask = Extract<Push, { kind: 'ask' }>;
export type Progress = { readonly line: string; readonly done: number; readonly total: number };

export type WizardState = {
  readonly page: Page;
  readonly info?: Outputs['app.info'];
  readonly library: Loaded<Outputs['library.list']>;
  readonly sessions: Loaded<Outputs['session.list']>;
  readonly guide?: Chosen<GuideView>;
  readonly site?: Chosen<SiteView>;
  readonly snapshot?: Snapshot;
  /** The journal reduced by core's reducer: nothing on screen about the session comes from anywhere else. */
  readonly session: SessionState;
  readonly running: boolean;
  readonly progress: Readonly<Record<string, Progress>>;
  readonly lastProgress?: Progress & { readonly key: string };
  readonly ask?: Ask;
  readonly current?: string;
  readonly filter: Filter;
  readonly help: boolean;
  /** The newest bundle of the session. */
  readonly sealed?: SealedView;
  readonly bundle?: FileRef;
  /** A session is being handed over or taken over. */
  readonly moving?: 'hand-over' | 'take-over';
  /** What was handed over last, and to whom. */
  readonly handed?: NonNullable<Outputs['session.handOver']>;
  /** The last failure of something that has no place of its own on the page. */
  readonly notice?: AppError;
};

const EMPTY: WizardState = {
  page: 'start',
  library: { state: 'loading' },
  sessions: { state: 'loading' },
  session: EMPTY_STATE,
  running: false,
  progress: {},
  filter: 'all',
  help: false,
};

export const useWizard = create<WizardState>(() => EMPTY);

const set = useWizard.setState;
const get = useWizard.getState;

/** Journal events that came before the snapshot they continue. */
let early: readonly JournalEvent[] = [];

/** Back to the first state; tests call it between cases. */
export function resetWizard(): void {
  early = [];
  set(EMPTY, true);
}

/** Loads what the first page shows, and goes on where a session is still open (after a reload). */
export async function startWizard(): Promise<void> {
  const info = await call('app.info', {});
  if (info.ok) set({ info: info.value });
  else set({ notice: info.error });
  await Promise.all([loadLibrary(), loadSessions(), continueSession()]);
}

async function continueSession(): Promise<void> {
  const open = await call('session.snapshot', {});
  if (open.ok && open.value !== null) {
    adopt(open.value);
    set({ page: nextPage(get().session) });
    await loadSealed();
    // Nothing was recorded since it was sealed: its bundle is what the person was at.
    if (get().sealed !== undefined && open.value.events.at(-1)?.type === 'sealed') set({ page: 'done' });
  }
}

/** The newest bundle of the open session, where it still lies where it was sealed. */
async function loadSealed(): Promise<void> {
  if (get().session.sealed === undefined) return;
  const { snapshot } = get();
  const bundles = await call('bundle.list', {});
  if (bundles.ok && get().sealed === undefined && get().snapshot?.session === snapshot?.session)
    set({ sealed: bundles.value[0] });
}

export async function loadLibrary(): Promise<void> {
  const library = await call('library.list', {});
  set({ library: library.ok ? { state: 'ready', value: library.value } : { state: 'failed', error: library.error } });
}

export async function loadSessions(): Promise<void> {
  const sessions = await call('session.list', {});
  set({
    sessions: sessions.ok ? { state: 'ready', value: sessions.value } : { state: 'failed', error: sessions.error },
  });
}

/** Takes main's snapshot as the truth and replays what was pushed in the meantime. */
export function adopt(snapshot: Snapshot): void {
  set({ snapshot, session: reduceAll(snapshot.events), running: snapshot.running });
  const waiting = early;
  early = [];
  takeEvents(waiting);
}

export async function refresh(): Promise<void> {
  const fresh = await call('session.snapshot', {});
  if (fresh.ok && fresh.value !== null) adopt(fresh.value);
  else if (!fresh.ok) set({ notice: fresh.error });
}

/** Where a session goes on: nothing runs before gate and preflight are behind it. */
export function nextPage(session: SessionState): Page {
  return session.preflight ? 'walk' : 'gate';
}

export async function openSession(operator: string): Promise<AppError | undefined> {
  const { guide, site } = get();
  if (guide === undefined || site === undefined) return undefined;
  return enter(await call('session.open', { guide: guide.file.handle, site: site.file.handle, operator }));
}

export async function resumeSession(input: Input<'session.resume'>): Promise<AppError | undefined> {
  const error = enter(await call('session.resume', input));
  if (error === undefined) set({ page: nextPage(get().session) });
  return error;
}

function enter(opened: { ok: true; value: Snapshot } | { ok: false; error: AppError }): AppError | undefined {
  if (!opened.ok) return opened.error;
  set({ progress: {}, current: undefined, sealed: undefined, notice: undefined });
  adopt(opened.value);
  void loadSealed();
  return undefined;
}

/** Leaves the session; its journal stays and it can be resumed. */
export async function leaveSession(): Promise<void> {
  const closed = await call('session.close', {});
  if (!closed.ok) {
    set({ notice: closed.error });
    return;
  }
  await leftSession();
}

/** The session is closed: back to the first page. */
export async function leftSession(handed?: WizardState['handed']): Promise<void> {
  early = [];
  set({ ...EMPTY, info: get().info, library: get().library, handed }, true);
  await loadSessions();
}

/** Runs the checks of the given items. Only one run at a time; main refuses a second. */
export async function runItems(keys: readonly string[]): Promise<void> {
  if (keys.length === 0 || get().running) return;
  set({ running: true, notice: undefined, progress: {}, lastProgress: undefined });
  const result = await call('walk.run', { keys: [...keys] });
  set({
    running: false,
    ask: undefined,
    progress: {},
    lastProgress: undefined,
    ...(result.ok ? {} : { notice: result.error }),
  });
}

export async function cancelRun(): Promise<void> {
  const result = await call('walk.cancel', {});
  if (!result.ok) set({ notice: result.error });
}

export async function replyToAsk(yes: boolean): Promise<void> {
  const { ask } = get();
  if (ask === undefined) return;
  set({ ask: undefined });
  const result = await call('walk.reply', { ask: ask.ask, yes });
  if (!result.ok) set({ notice: result.error });
}

/** What main pushes, except menu commands, which the shell handles. */
export function takePush(push: Push): void {
  switch (push.kind) {
    case 'journal':
      takeEvents(push.events);
      return;
    case 'progress': {
      const { key, line, done, total } = push;
      set((state) => ({
        progress: { ...state.progress, [key]: { line, done, total } },
        lastProgress: { key, line, done, total },
      }));
      return;
    }
    case 'ask':
      set({ ask: push });
      return;
    case 'asked':
      set((state) => (state.ask?.ask === push.ask ? { ask: undefined } : {}));
      return;
    case 'running':
      // An engine that died asks nothing any more.
      set(push.running ? { running: true } : { running: false, ask: undefined, progress: {}, lastProgress: undefined });
      return;
    case 'menu':
      return;
    default:
      push satisfies never;
  }
}

function takeEvents(events: readonly JournalEvent[]): void {
  if (get().snapshot === undefined) {
    early = [...early, ...events];
    return;
  }
  let { session } = get();
  for (const event of events) {
    if (event.n <= session.last) continue;
    if (event.n !== session.last + 1) {
      // A line is missing here, and a projection with a hole would show what never was: fetch the whole journal again.
      set({ session });
      void refresh();
      return;
    }
    session = reduce(session, event);
  }
  if (session !== get().session) set({ session });
}

export function goTo(page: Page): void {
  set({ page, notice: undefined });
}
