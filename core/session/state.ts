import { applyToChanges, type ChangeState } from './change-state.ts';
import type { EventData, Finding, JournalEvent, Target, Verdict } from './events.ts';

export type { ChangeState } from './change-state.ts';

export type CheckState = {
  readonly probe: string;
  readonly phase: 'running' | 'recorded' | 'failed';
  readonly event: number;
  readonly file?: string;
  readonly error?: EventData<'probe.failed'>['error'];
};

export type ItemState = {
  readonly key: string;
  readonly checks: Readonly<Record<number, CheckState>>;
  readonly verdict?: Verdict;
  readonly findings: readonly Finding[];
  readonly goodUntil?: string;
  readonly judgedAt?: string;
  readonly target?: Target;
  readonly answer?: {
    readonly answer: string;
    readonly note: string;
    readonly attachments: readonly string[];
    readonly at: string;
    readonly by: string;
  };
  readonly attachments: readonly EventData<'attached'>[];
  readonly changes: readonly ChangeState[];
  readonly waiver?: {
    readonly reason: string;
    readonly compensating: string;
    readonly until: string;
    readonly by: string;
  };
  readonly deferred?: { readonly to: string; readonly note: string };
};

export type SessionState = {
  readonly opened?: EventData<'session.opened'>;
  readonly openedAt?: string;
  readonly operators: readonly { readonly id: string; readonly name: string }[];
  readonly gate?: EventData<'gate.checked'>;
  readonly preflight: boolean;
  /** Id of the site key under which people were recorded last; the key itself is nowhere. */
  readonly keyId?: string;
  /** Whether the operator agreed to names; absent while nobody was asked. */
  readonly namesAgreed?: boolean;
  /** The earlier bundle that this session is compared with. */
  readonly baseline?: EventData<'baseline.chosen'>;
  readonly items: Readonly<Record<string, ItemState>>;
  readonly heads: readonly EventData<'head.signed'>[];
  readonly sealed?: EventData<'sealed'>;
  /** It left this place and nothing may be written here any more; absent where it did not, or was taken over since. */
  readonly handedOver?: { readonly to: string; readonly at: string; readonly by: string };
  /** Name of the computer on which the session lies; absent where no event tells. */
  readonly computer?: string;
  /** Number of the last event; -1 before the first. */
  readonly last: number;
};

export const EMPTY_STATE: SessionState = { operators: [], preflight: false, items: {}, heads: [], last: -1 };

const EMPTY_ITEM: Omit<ItemState, 'key'> = { checks: {}, findings: [], attachments: [], changes: [] };

/** Event → state: the only way that state comes about, in main, in the renderer, in the CLI and in the verifier. */
export function reduce(state: SessionState, event: JournalEvent): SessionState {
  return { ...apply(state, event), last: event.n };
}

/** Folds a whole journal. */
export function reduceAll(events: readonly JournalEvent[]): SessionState {
  return events.reduce(reduce, EMPTY_STATE);
}

function apply(state: SessionState, event: JournalEvent): SessionState {
  switch (event.type) {
    case 'session.opened':
      return {
        ...state,
        opened: event.data,
        openedAt: event.at,
        operators: [event.data.operator],
        ...(event.data.computer === undefined ? {} : { computer: event.data.computer }),
      };
    case 'operator.joined': {
      const { id, name, how, computer } = event.data;
      const known = state.operators.some((operator) => operator.id === id);
      return {
        ...(how === 'taken-over' ? withoutHandOver(state) : state),
        operators: known ? state.operators : [...state.operators, { id, name }],
        ...(computer === undefined ? {} : { computer }),
      };
    }
    case 'handed-over':
      return { ...state, handedOver: { to: event.data.to, at: event.at, by: event.by } };
    case 'hand-over.withdrawn':
      return withoutHandOver(state);
    case 'gate.checked':
      return { ...state, gate: event.data };
    case 'preflight.accepted':
      return { ...state, preflight: true };
    case 'people.keyed':
      return { ...state, keyId: event.data.keyId };
    case 'people.names':
      return { ...state, namesAgreed: event.data.agreed };
    case 'baseline.chosen':
      return { ...state, baseline: event.data };
    case 'head.signed':
      return { ...state, heads: [...state.heads, event.data] };
    case 'sealed':
      return { ...state, sealed: event.data };
    default:
      return withItem(state, event.data.key, (item) => applyToItem(item, event));
  }
}

function withoutHandOver({ handedOver: _over, ...state }: SessionState): SessionState {
  return state;
}

function withItem(state: SessionState, key: string, change: (item: ItemState) => ItemState): SessionState {
  return { ...state, items: { ...state.items, [key]: change(state.items[key] ?? { key, ...EMPTY_ITEM }) } };
}

/** Events about one item: their data names its key. */
type ItemEvent = Extract<JournalEvent, { data: { key: string } }>;

function applyToItem(item: ItemState, event: ItemEvent): ItemState {
  switch (event.type) {
    case 'probe.started':
      return withCheck(item, event.data.check, { probe: event.data.probe, phase: 'running', event: event.n });
    case 'facts.recorded':
      return withCheck(item, event.data.check, {
        probe: event.data.probe,
        phase: 'recorded',
        event: event.n,
        file: event.data.file,
      });
    case 'probe.failed':
      return withCheck(item, event.data.check, {
        probe: event.data.probe,
        phase: 'failed',
        event: event.n,
        error: event.data.error,
      });
    case 'judged': {
      const { goodUntil: _old, ...rest } = item;
      const { verdict, findings, target, goodUntil } = event.data;
      return {
        ...rest,
        verdict,
        findings,
        target,
        judgedAt: event.at,
        ...(goodUntil === undefined ? {} : { goodUntil }),
      };
    }
    case 'answered':
      return {
        ...item,
        answer: {
          answer: event.data.answer,
          note: event.data.note,
          attachments: event.data.attachments,
          at: event.at,
          by: event.by,
        },
      };
    case 'attached':
      return { ...item, attachments: [...item.attachments, event.data] };
    case 'waived':
      return {
        ...item,
        waiver: {
          reason: event.data.reason,
          compensating: event.data.compensating,
          until: event.data.until,
          by: event.by,
        },
      };
    case 'deferred':
      return { ...item, deferred: { to: event.data.to, note: event.data.note } };
    default:
      return { ...item, changes: applyToChanges(item.changes, event) };
  }
}

function withCheck(item: ItemState, index: number, check: CheckState): ItemState {
  return { ...item, checks: { ...item.checks, [index]: check } };
}

/** A change of which the journal does not say how it ended: nothing was recorded after the approval, the pre-image or the write. */
export type InterruptedChange = { readonly key: string; readonly change: ChangeState };

/** Changes that were cut off, in the order of the steps. While one is under way it looks the same. */
export function interruptedChanges(state: SessionState): readonly InterruptedChange[] {
  return Object.values(state.items).flatMap(({ key, changes }) =>
    changes.filter(({ phase }) => OPEN_PHASES.includes(phase)).map((change) => ({ key, change })),
  );
}

const OPEN_PHASES: readonly ChangeState['phase'][] = ['approved', 'started', 'applied'];
