import { Check, CircleHelp, Forward, LogOut } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { goTo, leaveSession, type Page, useWizard, type WizardState } from '../store.ts';
import { IconButton } from './button.tsx';
import { ErrorNote } from './note.tsx';

const STEPS: readonly { readonly page: Page; readonly name: string }[] = [
  { page: 'start', name: 'Guide' },
  { page: 'site', name: 'Site' },
  { page: 'gate', name: 'Gate' },
  { page: 'walk', name: 'Walk' },
  { page: 'review', name: 'Review' },
  { page: 'sign', name: 'Sign' },
  { page: 'done', name: 'Done' },
];

/** Whether a step may be entered: nothing runs before gate and preflight, nothing is done before it is sealed. */
export function isOpen(page: Page, state: WizardState): boolean {
  const inSession = state.snapshot !== undefined;
  switch (page) {
    case 'start':
    case 'verify':
      return !inSession;
    case 'site':
      return inSession || state.guide !== undefined;
    case 'gate':
      return inSession;
    case 'walk':
    case 'review':
    case 'sign':
      return inSession && state.session.preflight;
    case 'done':
      return state.sealed !== undefined;
    default:
      return page satisfies never;
  }
}

/** The frame around every page: practice ribbon, where one is, what went wrong elsewhere. */
export function Shell({ children }: { children: ReactNode }) {
  const state = useWizard();
  const { snapshot, notice, page } = state;
  const practice = (snapshot?.site ?? state.site?.view)?.practice === true;
  return (
    <div className="flex h-full flex-col">
      {practice ? <PracticeRibbon /> : null}
      <header className="flex h-13 shrink-0 items-center gap-5 border-b border-line bg-surface px-5">
        <Wordmark />
        <nav aria-label="Progress" className="min-w-0 flex-1">
          <ol className="flex items-center justify-center">
            {STEPS.map((step, index) => (
              <StepLink key={step.page} step={step} index={index} state={state} />
            ))}
          </ol>
        </nav>
        {snapshot === undefined ? null : (
          <div className="hidden max-w-56 min-w-0 text-right leading-tight lg:block">
            <p className="truncate text-sm font-medium">{snapshot.site.name}</p>
            <p className="truncate text-xs text-faint">{state.session.operators.at(-1)?.name}</p>
          </div>
        )}
        <div className="flex items-center">
          <IconButton
            label="Keyboard and verdicts"
            icon={CircleHelp}
            onPress={() => useWizard.setState({ help: true })}
          />
          {snapshot === undefined ? null : (
            <IconButton
              label="Hand this session over"
              icon={Forward}
              isDisabled={state.running}
              onPress={() => useWizard.setState({ moving: 'hand-over' })}
            />
          )}
          {snapshot === undefined ? null : (
            <IconButton
              label="Leave this session"
              icon={LogOut}
              isDisabled={state.running}
              onPress={() => void leaveSession()}
            />
          )}
        </div>
      </header>
      {notice === undefined ? null : (
        <div className="shrink-0 border-b border-line px-5 py-2">
          <ErrorNote error={notice} onDismiss={() => useWizard.setState({ notice: undefined })} />
        </div>
      )}
      <main key={page} className="flex min-h-0 flex-1 flex-col">
        {children}
      </main>
    </div>
  );
}

function PracticeRibbon() {
  return (
    <aside
      aria-label="Practice"
      className="practice-hatch flex h-6 shrink-0 items-center justify-center text-2xs font-bold text-on-practice"
    >
      <span className="rounded-sm bg-practice px-2.5 tracking-[0.08em]">
        PRACTICE{' '}
        <span className="font-medium tracking-normal">
          · a made-up hospital on this computer; its certificates prove nothing elsewhere
        </span>
      </span>
    </aside>
  );
}

function Wordmark() {
  return (
    <p className="flex items-center gap-2 text-base font-semibold tracking-tight">
      <svg viewBox="0 0 20 20" aria-hidden className="size-5">
        <rect x="1" y="3" width="11" height="5" rx="2.5" className="fill-accent" />
        <rect x="8" y="12" width="11" height="5" rx="2.5" className="fill-ink" />
        <path
          d="M12 5.5h3.2a1.8 1.8 0 0 1 1.8 1.8V12M8 14.500H4.800A1.800 1.800 0 0 1 3 12.700V8"
          fill="none"
          className="stroke-edge"
          strokeWidth="1.6"
        />
      </svg>
      Lockstep
    </p>
  );
}

function StepLink({ step, index, state }: { step: (typeof STEPS)[number]; index: number; state: WizardState }) {
  const current = state.page === step.page;
  const at = STEPS.findIndex((entry) => entry.page === state.page);
  const behind = index < at;
  const open = isOpen(step.page, state) && !current;
  return (
    <li className="flex items-center">
      {index === 0 ? null : (
        <span aria-hidden className={`mx-0.5 h-px w-2.5 xl:w-5 ${index <= at ? 'bg-edge' : 'bg-line'}`} />
      )}
      <AriaButton
        isDisabled={!open && !current}
        aria-current={current ? 'step' : undefined}
        onPress={() => {
          if (open) goTo(step.page);
        }}
        className={`flex h-7 items-center gap-1.5 rounded-full px-2 text-sm transition-colors ${current ? 'bg-tint font-semibold text-link' : open ? 'text-soft hover:bg-hover hover:text-ink' : 'text-faint'}`}
      >
        <span
          aria-hidden
          className={`inline-flex size-4 items-center justify-center rounded-full text-[10px] font-semibold tabular-nums ${current ? 'bg-accent text-on-accent' : 'border border-edge/60'}`}
        >
          {behind ? <Check className="size-2.5" strokeWidth={3} /> : index + 1}
        </span>
        {step.name}
      </AriaButton>
    </li>
  );
}
