import type { Target } from '../session/events.ts';
import type { ReportItem, ReportModel } from './model.ts';
import { markdownText, oneLine } from './plain-text.ts';
import { isExpired, type Standing, STANDING_WORDS, standingOf } from './standing.ts';
import { uuidOf } from './uuid.ts';

const OSCAL_VERSION = '1.2.1';
/** Names of the properties that OSCAL itself does not have. */
const NS = 'urn:lockstep:oscal:1';
const COMPONENT_TYPES: Readonly<Record<Target['kind'], string>> = {
  site: 'this-system',
  role: 'directory-group',
  link: 'interconnection',
  device: 'hardware',
};

/**
 * OSCAL assessment results (NIST, 1.2.1, JSON). One observation per control and target; a finding for each that the
 * guide asks for here. OSCAL knows only satisfied and not-satisfied: whatever is not a pass in date is not satisfied,
 * and the reason tells `fail` from what could not be found out. UUIDs are of version 5 and everything else is a
 * function of the session, so the same model gives the same bytes.
 */
export function renderOscalReport(model: ReportModel): string {
  const { session, guide, site } = model;
  const id = (...names: readonly string[]) =>
    uuidOf([session.id, String(model.generatedFrom.upTo), ...names].join('\n'));
  const targets = [...new Map(model.items.map((item) => [targetKey(item.target), item.target])).values()];
  const controls = [...new Set(model.items.map((item) => item.control.id))];
  const findings = model.items.flatMap((item) => finding(item, model, id) ?? []);
  const practice = model.practice ? [prop('practice', 'true')] : [];
  const report = {
    'assessment-results': {
      uuid: id('assessment-results'),
      metadata: {
        title: `${model.practice ? 'PRACTICE: ' : ''}${markdownText(model.title)}`,
        'last-modified': session.lastAt,
        version: `${guide.version}+journal.${model.generatedFrom.upTo}`,
        'oscal-version': OSCAL_VERSION,
        props: [
          prop('guide', guide.id),
          prop('guide-trust', guide.trust),
          prop('journal-sha256', model.generatedFrom.sha256),
          prop('lockstep-version', session.lockstep),
          // The report lies under the signatures, so it cannot know of them.
          prop('signatures', 'see the container that holds this file'),
          ...practice,
        ],
        roles: [{ id: 'operator', title: 'Operator of the session' }],
        parties: session.operators.map((operator) => ({
          uuid: id('operator', operator.id),
          type: 'person',
          name: oneLine(operator.name),
        })),
        ...(session.operators.length === 0
          ? {}
          : {
              'responsible-parties': [
                { 'role-id': 'operator', 'party-uuids': session.operators.map(({ id: who }) => id('operator', who)) },
              ],
            }),
      },
      'import-ap': { href: `#${id('guide')}`, remarks: 'The assessment plan is the guide in the same container.' },
      results: [
        {
          uuid: id('result'),
          title: markdownText(`${guide.id} ${guide.version} at ${site.name}`),
          description: `At the end of this session it is ${model.summary.word}. Verdicts are computed from the facts in the same container.`,
          start: session.openedAt,
          end: session.lastAt,
          props: [prop('summary', model.summary.word), ...practice],
          'local-definitions': { components: targets.map((target) => component(target, id)) },
          'reviewed-controls': {
            'control-selections': [
              { 'include-controls': controls.map((control) => ({ 'control-id': token(control) })) },
            ],
          },
          observations: model.items.map((item) => observation(item, model, id)),
          ...(findings.length === 0 ? {} : { findings }),
        },
      ],
      'back-matter': {
        resources: [
          resource(id('guide'), `Guide ${guide.id} ${guide.version}`, '../guide/guide.yaml', guide.sha256),
          resource(id('site'), `Site ${site.name}`, '../site.yaml', site.sha256),
        ],
      },
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

type Id = (...names: readonly string[]) => string;

function observation(item: ReportItem, model: ReportModel, id: Id) {
  const standing = standingOf(item, model);
  const methods = [
    ...(item.facts.length > 0 ? ['TEST'] : []),
    ...(item.answer === undefined ? [] : ['INTERVIEW']),
    ...(item.attachments.length > 0 ? ['EXAMINE'] : []),
  ];
  const evidence = [
    ...item.facts.map((file) => ({ href: `../${encodeURI(file)}`, description: 'Facts that a probe recorded.' })),
    ...item.attachments.map((file) => ({
      href: `../${encodeURI(file.file)}`,
      description: markdownText(file.name),
      props: [prop('sha256', file.sha256)],
    })),
  ];
  return {
    uuid: id('observation', item.key),
    title: markdownText(`${item.control.title}: ${item.target.name}`),
    description: markdownText(item.findings.map(({ sentence }) => sentence).join(' ') || STANDING_WORDS[standing]),
    props: [
      prop('standing', standing),
      prop('verdict', item.verdict),
      prop('owner', item.control.owner),
      prop('severity', item.control.severity),
      prop('control-revision', String(item.control.revision)),
      ...(item.waiver === undefined ? [] : [prop('waiver-requested-until', item.waiver.until)]),
      ...Object.entries(item.control.references).map(([framework, ids]) =>
        prop(`reference-${token(framework)}`, ids.join(' ')),
      ),
    ],
    methods: methods.length > 0 ? methods : ['UNKNOWN'],
    subjects: [{ 'subject-uuid': id('target', targetKey(item.target)), type: 'component' }],
    ...(evidence.length === 0 ? {} : { 'relevant-evidence': evidence }),
    collected: item.judgedAt ?? model.session.lastAt,
    ...(item.goodUntil === undefined ? {} : { expires: item.goodUntil }),
  };
}

const REASONS: Readonly<Record<Standing, 'pass' | 'fail' | 'other'>> = {
  pass: 'pass',
  fail: 'fail',
  error: 'other',
  'not-reviewed': 'other',
  expired: 'other',
  'not-applicable': 'other',
};

/** None where the guide does not ask the question: it is neither satisfied nor the contrary. */
function finding(item: ReportItem, model: ReportModel, id: Id) {
  const standing = standingOf(item, model);
  if (standing === 'not-applicable') return undefined;
  const remark = isExpired(item, model)
    ? `The evidence ran out on ${item.goodUntil ?? 'an unknown day'}.`
    : standing === 'error'
      ? 'This could not be found out; it is not a failure.'
      : standing === 'not-reviewed'
        ? 'Nobody has looked yet; it is not a failure.'
        : undefined;
  return {
    uuid: id('finding', item.key),
    title: markdownText(`${item.control.title}: ${item.target.name}`),
    description: markdownText(item.control.why),
    props: [prop('standing', standing)],
    target: {
      type: 'objective-id',
      'target-id': token(item.control.id),
      status: {
        state: standing === 'pass' ? 'satisfied' : 'not-satisfied',
        reason: REASONS[standing],
        ...(remark === undefined ? {} : { remarks: remark }),
      },
    },
    'related-observations': [{ 'observation-uuid': id('observation', item.key) }],
  };
}

function component(target: Target, id: Id) {
  return {
    uuid: id('target', targetKey(target)),
    type: COMPONENT_TYPES[target.kind],
    title: markdownText(target.name),
    description: markdownText(`${target.kind} ${target.id}`),
    // Whether it is in operation is not for Lockstep to say.
    status: { state: 'other' },
  };
}

function resource(uuid: string, title: string, href: string, sha256: string) {
  return { uuid, title: markdownText(title), rlinks: [{ href, hashes: [{ algorithm: 'SHA-256', value: sha256 }] }] };
}

function prop(name: string, value: string) {
  return { name, ns: NS, value: oneLine(value) };
}

function targetKey(target: Target): string {
  return `${target.kind}:${target.id}`;
}

/** An NCName (XML Schema part 2): begins with a letter or an underscore, and holds no colon. */
function token(text: string): string {
  const name = text.replace(/[^\p{L}\p{N}._-]/gu, '_');
  return /^[\p{L}_]/u.test(name) ? name : `_${name}`;
}
