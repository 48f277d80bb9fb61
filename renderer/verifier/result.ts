import type { Role } from '../../core/bundle/trust.ts';
import type { SignerSummary } from '../../core/bundle/verify.ts';
import type { JudgedVerification } from '../../core/bundle/verify-judged.ts';
import { type AppError, describeError } from '../../core/result.ts';
import { element } from './elements.ts';

type Headline = { readonly tone: 'good' | 'mind' | 'bad'; readonly title: string; readonly text: string };

const SEVERITIES = { bad: '✗ Wrong', warn: '! Mind', info: 'i Note' } as const;
const ROLES: Readonly<Record<Role, string>> = {
  engineer: 'Engineer',
  hospital: 'Hospital',
  publisher: 'Publisher of the guide',
};
const WORDS = {
  hardened: 'Hardened: everything that the guide asks was proved, and is in date.',
  open: 'Open: something does not meet the guide.',
  undecided: 'Undecided: nothing fails, but not everything is proved and in date.',
} as const;

/** Worst first: what kind of result it is, in words that nobody can take for better than it is. */
function headlineOf(found: JudgedVerification): Headline {
  if (found.findings.some((finding) => finding.severity === 'bad'))
    return {
      tone: 'bad',
      title: '✗ Not sound',
      text: 'It is not what was signed, or not signed by those whom you trust. Rely on nothing in it.',
    };
  if (found.kind === 'guide')
    return { tone: 'good', title: '✓ A sound guide', text: 'It is signed by a publisher whom you trust.' };
  if (found.edition !== undefined)
    return {
      tone: 'mind',
      title: '! An edition',
      text: `${found.edition.leftOut} parts were left out by rule for the ${found.edition.for}. What remains is what was signed; the verdicts stand as signed, and cannot be computed again from it.${found.provisional ? ' The engineer and the hospital have not both signed it.' : ''}`,
    };
  if (found.provisional)
    return {
      tone: 'mind',
      title: '! Provisional',
      text: 'Nothing is wrong with it, but the engineer and the hospital have not both signed it.',
    };
  if (!found.complete)
    return { tone: 'mind', title: '! Sound, but incomplete', text: 'Something in it is undecided or has run out.' };
  if (found.state?.word === 'open')
    return {
      tone: 'mind',
      title: '! Sound and complete, but open',
      text: 'Both parties signed it and everything in it is decided, but something does not meet the guide.',
    };
  return {
    tone: 'good',
    title: '✓ Sound and complete',
    text: 'Both parties signed it, and everything in it is decided.',
  };
}

/** All that verification found, worst first. */
export function showVerification(file: string, at: Date, found: JudgedVerification): HTMLElement {
  const { tone, title, text } = headlineOf(found);
  return element(
    'div',
    {},
    element('h2', { id: 'headline', class: `headline ${tone}`, tabindex: '-1' }, title),
    element('p', {}, text),
    element('p', { class: 'quiet' }, `${file}, as of ${at.toISOString().slice(0, 10)}.`),
    ...(found.practice
      ? [
          element(
            'p',
            { class: 'banner' },
            'PRACTICE: it comes from a practice hospital and proves nothing about a real one.',
          ),
        ]
      : []),
    ...showState(found),
    ...showLeftOut(found),
    ...showFindings(found),
    ...showSigners(found.signers),
    ...showOrigin(found),
  );
}

/** Why a file cannot be verified at all. */
export function showError(file: string, error: AppError): HTMLElement {
  return element(
    'div',
    {},
    element('h2', { id: 'headline', class: 'headline bad', tabindex: '-1' }, '✗ Not a bundle that can be read safely'),
    element('p', { 'data-error': error.code }, describeError(error)),
    element('p', { class: 'quiet' }, file),
  );
}

/** Something in this page went wrong; no bundle is the better for it. */
export function showBreakdown(cause: unknown): HTMLElement {
  const words = cause instanceof Error ? cause.message : String(cause);
  return element(
    'div',
    {},
    element('h2', { id: 'headline', class: 'headline bad', tabindex: '-1' }, '✗ Not verified'),
    element('p', {}, `This page broke down, so nothing is known about the file: ${words}`),
  );
}

function showState({ state }: JudgedVerification): HTMLElement[] {
  if (state === undefined) return [];
  const counts = Object.entries(state.counts).map(([verdict, count]) =>
    element('tr', {}, element('th', { scope: 'row' }, verdict.replace('-', ' ')), element('td', {}, String(count))),
  );
  const marks = [
    [state.waived.length, 'of the failures have a waiver in date'],
    [state.expired.length, 'have run out and count as undecided'],
  ] as const;
  return [
    element('h3', {}, 'What it says, judged again from its facts'),
    element('p', {}, WORDS[state.word]),
    element('table', {}, element('caption', {}, `${state.total} steps`), element('tbody', {}, ...counts)),
    ...marks.flatMap(([count, words]) => (count > 0 ? [element('p', {}, `${count} ${words}.`)] : [])),
  ];
}

function showLeftOut({ edition }: JudgedVerification): HTMLElement[] {
  if (edition?.state === undefined) return [];
  const counts = Object.entries(edition.state.counts).filter(([, count]) => count > 0);
  return [
    element('h3', {}, 'What it says, as it was signed'),
    element('p', {}, counts.map(([verdict, count]) => `${count} ${verdict.replace('-', ' ')}`).join(', ')),
  ];
}

function showFindings({ findings }: JudgedVerification): HTMLElement[] {
  const lines = findings.map(({ severity, code, sentence, place }) =>
    element(
      'li',
      { 'data-severity': severity, 'data-code': code },
      element('strong', { class: `severity ${severity}` }, SEVERITIES[severity]),
      ' ',
      element('span', { class: 'sentence' }, sentence),
      ' ',
      ...(place === undefined ? [] : [element('code', { class: 'place' }, place), ' ']),
      element('span', { class: 'quiet' }, code),
    ),
  );
  return [
    element('h3', {}, `Findings, worst first (${findings.length})`),
    findings.length === 0
      ? element('p', {}, 'Nothing to remark.')
      : element('ol', { id: 'findings', class: 'findings' }, ...lines),
  ];
}

function showSigners(signers: readonly SignerSummary[]): HTMLElement[] {
  return [
    element('h3', {}, 'Who signed'),
    ...(signers.length === 0 ? [element('p', {}, 'Nobody.')] : []),
    ...signers.map((signer) =>
      element(
        'section',
        { class: 'signer', 'data-role': signer.role },
        element('h4', {}, `${ROLES[signer.role]}: ${signer.name}`),
        element(
          'p',
          {},
          `${signer.sound ? 'The signature holds' : 'The signature does NOT hold'}; ${signer.trusted ? 'its certificate leads to a root that you chose.' : 'its certificate does NOT lead to a root that you chose for this role.'}`,
        ),
        list([
          ['Certificate', signer.subject],
          ['Issued by', signer.issuer],
          ['SHA-256', signer.sha256],
          ['Valid until', signer.notAfter],
          ['Signed at (as claimed)', signer.signedAt],
          ['Time-stamped (proved)', signer.provenAt],
          ['Function', signer.statement?.role],
          ['Remark', signer.statement?.remark],
          ['Waivers accepted', signer.statement?.acceptedWaivers.join(', ')],
        ]),
      ),
    ),
  ];
}

function showOrigin({ session, guide, site }: JudgedVerification): HTMLElement[] {
  if (session === undefined) return [];
  return [
    element('h3', {}, 'Where it comes from'),
    list([
      ['Site', site && `${site.name} (${site.id})`],
      ['Guide', guide && `${guide.id} ${guide.version}, ${guide.trust} when the session was opened`],
      ['Guide, SHA-256', guide?.sha256],
      ['Session', `${session.id}, ${session.openedAt} to ${session.lastAt}`],
      ['Operator', session.operator],
      ['Journal', `${session.events} lines`],
      ['Made by', `Lockstep ${session.lockstep}`],
    ]),
  ];
}

function list(rows: readonly (readonly [string, string | undefined])[]): HTMLElement {
  return element(
    'dl',
    {},
    ...rows.flatMap(([name, text]) =>
      text === undefined || text === '' ? [] : [element('dt', {}, name), element('dd', {}, text)],
    ),
  );
}
