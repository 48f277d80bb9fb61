import type { ReactNode } from 'react';
import type { z } from 'zod';
import { TLS_VERSIONS, tlsEndpoint, type TlsVersion } from '../../core/probes/tls-endpoint.ts';
import { count, showDate } from '../lib/format.ts';
import { Note } from './note.tsx';
import { Part, Said, TONES } from './summary-parts.tsx';

type TlsFacts = z.output<typeof tlsEndpoint.facts>;
/** Deprecated by RFC 7568 and RFC 8996. */
const OLD: readonly TlsVersion[] = ['SSL 3.0', 'TLS 1.0', 'TLS 1.1'];
const SUITES = {
  'SSL 3.0': 'ssl30',
  'TLS 1.0': 'tls10',
  'TLS 1.1': 'tls11',
  'TLS 1.2': 'tls12',
  'TLS 1.3': 'tls13',
} as const satisfies Record<TlsVersion, string>;
const WEAK = /_NULL_|_anon_|EXPORT|_RC4_|3DES|_DES_/;

/** The facts of `tls.endpoint` as a person wants them: versions, suites, certificate, guideline. Undefined where they are of another shape. */
export function tlsSummary(facts: unknown): ReactNode | undefined {
  const read = tlsEndpoint.facts.safeParse(facts);
  return read.success ? <TlsSummary facts={read.data} /> : undefined;
}

function TlsSummary({ facts }: { facts: TlsFacts }) {
  if (!facts.speaksTls)
    return (
      <Note tone="bad" title="The server does not speak TLS.">
        {facts.clearText}
      </Note>
    );
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-5 gap-y-3 rounded-md border border-line bg-surface p-3.5 text-sm">
      {facts.versions === undefined ? null : (
        <Part name="Versions">
          <Versions facts={facts} />
        </Part>
      )}
      {facts.suites === undefined ? null : <Suites suites={facts.suites} />}
      <WeakSuites facts={facts} />
      <Certificate facts={facts} />
      {facts.guideline === undefined ? null : (
        <Part name={`${facts.guideline.title} ${facts.guideline.version}`}>
          <ul className="grid gap-1">
            <Level name="Intermediate" level={facts.guideline.intermediate} />
            <Level name="Modern" level={facts.guideline.modern} />
          </ul>
        </Part>
      )}
    </dl>
  );
}

/** Which versions the server takes. */
function Versions({ facts }: { facts: TlsFacts }) {
  return (
    <ul className="grid grid-cols-5 gap-1.5">
      {TLS_VERSIONS.map((version) => {
        const accepted = facts.versions?.find((one) => one.version === version)?.accepted;
        const old = OLD.includes(version);
        const tone = accepted === undefined ? 'open' : accepted ? (old ? 'bad' : 'good') : 'quiet';
        return (
          <li key={version} className={`rounded-md px-2 py-1.5 text-xs ${TONES[tone].tint}`}>
            <span className="block font-semibold text-ink">{version}</span>
            <span className={`block font-medium ${TONES[tone].text}`}>
              {accepted === undefined ? 'not decided' : accepted ? `accepted${old ? ', old' : ''}` : 'refused'}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Every suite that the server takes, version by version, where all of them were tried. */
function Suites({ suites }: { suites: NonNullable<TlsFacts['suites']> }) {
  return (
    <Part name="Suites">
      {TLS_VERSIONS.map((version) => {
        const taken = suites[SUITES[version]] ?? [];
        const weak = taken.filter((suite) => WEAK.test(suite)).length;
        return taken.length === 0 ? null : (
          <details key={version}>
            <summary>
              {version}: {count(taken.length, 'suite')}
              {weak === 0 ? null : <span className="font-semibold text-fail">, {weak} weak</span>}
            </summary>
            <ul className="mt-0.5 mb-1.5 grid gap-0.5 pl-4 font-mono text-xs break-all">
              {taken.map((suite) => (
                <li key={suite} className={WEAK.test(suite) ? 'font-semibold text-fail' : 'text-soft'}>
                  {suite}
                  {WEAK.test(suite) ? ' (weak)' : ''}
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </Part>
  );
}

function WeakSuites({ facts: { weakSuites, acceptsWeakSuite } }: { facts: TlsFacts }) {
  if (acceptsWeakSuite === undefined) return null;
  return (
    <Part name="Weak suites">
      {acceptsWeakSuite ? (
        <Said tone="bad">
          accepted{weakSuites === undefined ? '' : ':'}{' '}
          <span className="font-mono text-xs break-all">{(weakSuites ?? []).join(', ')}</span>
        </Said>
      ) : (
        <Said tone="good">none of NULL, anonymous, export, RC4, 3DES, DES</Said>
      )}
    </Part>
  );
}

/** Name, validity and chain of what the server shows, its own certificate first. */
function Certificate({ facts: { name, validity, chain, certificates, key, signature } }: { facts: TlsFacts }) {
  return (
    <>
      {name === undefined ? null : (
        <Part name="Name">
          <Said tone={name.matches ? 'good' : 'bad'}>
            {name.matches
              ? `${name.expected} is in the certificate`
              : `${name.expected} is not in the certificate, which names ${name.sans.join(', ') || 'nothing'}`}
          </Said>
        </Part>
      )}
      {validity === undefined ? null : (
        <Part name="Validity">
          <Said tone={validity.valid ? 'good' : 'bad'}>
            {showDate(validity.notBefore)} to {showDate(validity.notAfter)},{' '}
            {validity.daysLeft < 0
              ? `over for ${count(-validity.daysLeft, 'day')}`
              : `${count(validity.daysLeft, 'day')} left`}
          </Said>
        </Part>
      )}
      {chain === undefined ? null : (
        <Part name="Chain">
          <Said tone={chain.trusted ? 'good' : 'bad'}>{chain.reason}</Said>
          {certificates === undefined ? null : (
            <ol className="mt-1.5 grid gap-1">
              {certificates.map((one, index) => (
                <li
                  key={one.sha256}
                  className="border-l-2 border-line pl-2.5"
                  style={{ marginLeft: `${index * 14}px` }}
                >
                  <span className="font-medium">{commonName(one.subject)}</span>
                  <span className="text-soft">
                    {' '}
                    by {commonName(one.issuer)}, {showDate(one.notBefore)} to {showDate(one.notAfter)}
                  </span>
                </li>
              ))}
            </ol>
          )}
        </Part>
      )}
      {key === undefined || signature === undefined ? null : (
        <Part name="Strength">
          <Said tone={key.strong && signature.strong ? 'good' : 'bad'}>
            {[key.algorithm, key.curve ?? (key.bits === undefined ? '' : `${key.bits} bits`)].join(' ').trim()}, signed
            with {signature.algorithm}
          </Said>
        </Part>
      )}
    </>
  );
}

type Guideline = NonNullable<TlsFacts['guideline']>;

function Level({ name, level: { meets, differences, undecided } }: { name: string; level: Guideline['modern'] }) {
  const rest = (meets === undefined && differences.length === 0 ? undecided : differences).join('; ');
  return (
    <li>
      <Said tone={meets === true ? 'good' : meets === false ? 'quiet' : 'open'}>
        <span className="font-medium">{name}</span>:{' '}
        {meets === true ? 'met' : meets === false ? 'not met' : 'not decided'}
        {rest === '' ? '' : `, ${rest}`}
      </Said>
    </li>
  );
}

/** The common name of a subject, or all of it. */
function commonName(subject: string): string {
  return /(?:^|[,\n]\s*)CN=([^,\n]+)/.exec(subject)?.[1] ?? subject;
}
