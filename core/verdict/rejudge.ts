import { guideSchema } from '../guide/schema.ts';
import { frameOf, makePlan, type Plan, type PlanItem } from '../guide/plan.ts';
import { namesSomebody } from '../people/named.ts';
import { PROBE_DECLARATIONS } from '../probes/index.ts';
import { type FactsFile, factsFileSchema, type JournalEvent } from '../session/events.ts';
import { reduceAll } from '../session/state.ts';
import { type Summary, summarize } from '../session/summary.ts';
import { siteSchema } from '../site/schema.ts';
import { parseYaml } from '../yaml.ts';
import { type Answer, type CheckOutcome, judgeItem } from './judge.ts';

/** What a bundle holds, as far as verdicts depend on it. */
export type JudgedParts = {
  readonly guideYaml: string;
  readonly siteYaml: string;
  readonly events: readonly JournalEvent[];
  /** Parsed facts file by its name in the bundle; undefined where it is missing or unreadable. */
  readonly facts: (file: string) => unknown;
};

/** One way in which the journal's verdicts are not what guide and facts give. */
export type RejudgeFault = { readonly code: string; readonly sentence: string; readonly place: string };
/** Outcomes of every check, by item key and check index. */
type Outcomes = Map<string, Map<number, CheckOutcome>>;

export type Rejudged = {
  readonly faults: readonly RejudgeFault[];
  /** Present where guide and site could be read. */
  readonly judged?: { readonly plan: Plan; readonly summary: Summary; readonly outcomes: Outcomes };
};

/**
 * Judges everything again from the bundle's own guide, site and facts, at the point of the journal where each judgement
 * stands, and compares. A journal cannot claim a pass that its facts do not give, nor facts that answer another question.
 * @param at the time at which expiry counts
 * @param accepted keys whose waivers a countersignature covers
 */
export function rejudge(parts: JudgedParts, at: Date, accepted: ReadonlySet<string> = new Set()): Rejudged {
  const guide = parseYaml(parts.guideYaml, guideSchema);
  const site = parseYaml(parts.siteYaml, siteSchema);
  if (!guide.ok)
    return {
      faults: [{ code: 'judge.guide', sentence: 'The guide in the bundle cannot be read.', place: 'guide/guide.yaml' }],
    };
  if (!site.ok)
    return { faults: [{ code: 'judge.site', sentence: 'The site in the bundle cannot be read.', place: 'site.yaml' }] };
  const state = reduceAll(parts.events);
  const plan = makePlan(guide.value, site.value, frameOf(state));
  if (!plan.ok)
    return {
      faults: [
        {
          code: 'judge.plan',
          sentence: 'The guide in the bundle does not fit the site in it.',
          place: 'guide/guide.yaml',
        },
      ],
    };
  const faults: RejudgeFault[] = [];
  const outcomes: Outcomes = new Map();
  const replay = createReplay(plan.value, parts, outcomes, faults);
  for (const event of parts.events) replay(event);
  const summary = summarize(plan.value.items, state, at, accepted);
  return { faults, judged: { plan: plan.value, summary, outcomes } };
}

function createReplay(
  plan: Plan,
  parts: JudgedParts,
  outcomes: Outcomes,
  faults: RejudgeFault[],
): (event: JournalEvent) => void {
  const items = new Map(plan.items.map((item) => [item.key, item]));
  const attachments = new Map<string, number>();
  const answers = new Map<string, Omit<Answer, 'attachments'>>();
  let namesAgreed = false;
  const fault = (event: JournalEvent, code: string, sentence: string) =>
    faults.push({ code, sentence, place: `journal.jsonl:${event.n + 1}` });
  const set = (key: string, check: number, outcome: CheckOutcome) =>
    outcomes.set(key, (outcomes.get(key) ?? new Map<number, CheckOutcome>()).set(check, outcome));

  return (event) => {
    switch (event.type) {
      case 'facts.recorded': {
        const facts = factsFileSchema.safeParse(parts.facts(event.data.file));
        const item = items.get(event.data.key);
        if (!facts.success) fault(event, 'judge.facts', `${event.data.file} is missing or not a facts file.`);
        else if (item === undefined) fault(event, 'judge.unknown-step', `The guide has no step ${event.data.key}.`);
        else {
          if (!answersPlan(item, event.data.check, facts.data))
            fault(
              event,
              'judge.other-question',
              `${event.data.file} answers another question than the guide asks at ${event.data.key}.`,
            );
          const asked = (facts.data.params as { names?: unknown } | undefined)?.names === true;
          if (!(asked && namesAgreed) && namesSomebody(facts.data.facts))
            fault(
              event,
              'judge.names',
              `${event.data.file} names people, and ${asked ? 'the operator had not agreed to it' : 'the guide does not ask for it'}.`,
            );
          set(event.data.key, event.data.check, { facts: facts.data });
        }
        return;
      }
      case 'probe.failed':
        set(event.data.key, event.data.check, { error: event.data.error });
        return;
      case 'people.names':
        namesAgreed = event.data.agreed;
        return;
      case 'attached':
        attachments.set(event.data.key, (attachments.get(event.data.key) ?? 0) + 1);
        return;
      case 'answered':
        answers.set(event.data.key, { answer: event.data.answer, at: event.at });
        return;
      case 'judged': {
        const item = items.get(event.data.key);
        if (item === undefined) {
          fault(event, 'judge.unknown-step', `The guide has no step ${event.data.key}.`);
          return;
        }
        const given = answers.get(item.key);
        const answer = given === undefined ? undefined : { ...given, attachments: attachments.get(item.key) ?? 0 };
        const again = judgeItem(item, outcomes.get(item.key) ?? new Map(), answer);
        if (again.verdict !== event.data.verdict)
          fault(
            event,
            'judge.verdict',
            `The journal says ${event.data.verdict} for ${item.key}; its facts give ${again.verdict}.`,
          );
        else if (again.goodUntil !== event.data.goodUntil)
          fault(
            event,
            'judge.good-until',
            `The journal says that ${item.key} is good until ${event.data.goodUntil ?? 'further notice'}; its facts give ${again.goodUntil ?? 'no end'}.`,
          );
        else if (
          JSON.stringify(again.findings.map((finding) => finding.sentence)) !==
          JSON.stringify(event.data.findings.map((finding) => finding.sentence))
        )
          fault(
            event,
            'judge.findings',
            `The findings in the journal for ${item.key} are not those that its facts give.`,
          );
        return;
      }
      default:
    }
  };
}

/** Whether a facts file comes from the probe and the parameters that the plan has for this check. */
function answersPlan(item: PlanItem, check: number, facts: FactsFile): boolean {
  const planned = item.checks[check];
  if (planned === undefined || !planned.params.ok || planned.probe !== facts.probe) return false;
  const declaration = PROBE_DECLARATIONS.find((candidate) => candidate.id === planned.probe);
  const params = declaration?.params.safeParse(planned.params.value);
  return params?.success === true && sorted(params.data) === sorted(facts.params);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
