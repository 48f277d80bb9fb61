import type { AbsentFact } from '../probes/declaration.ts';
import type { AppError } from '../result.ts';

export type LinkEnd = 'server' | 'client' | 'device';
export type LinkState = 'clear' | 'encrypted-only' | 'encrypted-and-authenticated';

/** One thing that had to be seen: it was, the opposite was, or neither. */
export type EndObservation = { readonly status: 'observed' | 'refuted' | 'not-tested'; readonly sentence: string };

/** What a probe yielded: its facts with what is absent, or the error that it ended with. */
export type Observation =
  | { readonly facts?: unknown; readonly absent?: readonly AbsentFact[] }
  | { readonly error: Pick<AppError, 'code' | 'message'> };

export type DerivedLink = {
  /** Left out, and named in `absent`, where the observations do not decide it. */
  readonly state?: LinkState;
  readonly sentence: string;
  readonly ends: Readonly<Record<LinkEnd, EndObservation>>;
  readonly absent: readonly AbsentFact[];
};

export const ALL_ENDS: readonly LinkEnd[] = ['server', 'client', 'device'];

/**
 * Derives a link's state from separate observations, keyed by probe id: `tls.endpoint` (the server proves itself),
 * `tls.client-authentication` (the server insists on the client's certificate), `tls.impostor` (the device insists on
 * the server's) and, where the guide runs it over the link's clear ports, `tcp.ports`.
 *
 * That the laptop itself connected says nothing about the device. An end that was not tested is never taken as proven;
 * one refuted end is enough to say that the link is not authenticated, because every refutation came through TLS.
 * @param requires ends that the guide wants proven; none or empty means all three.
 */
export function deriveLink(
  observations: Readonly<Record<string, Observation>>,
  requires?: readonly LinkEnd[],
): DerivedLink {
  const wanted = requires === undefined || requires.length === 0 ? ALL_ENDS : requires;
  const endpoint = read(observations, 'tls.endpoint');
  const impostor = read(observations, 'tls.impostor');
  const ends = {
    server: serverProvesItself(endpoint),
    client: serverInsists(read(observations, 'tls.client-authentication')),
    device: deviceInsists(impostor),
  };
  const clear = clearText(endpoint, impostor, read(observations, 'tcp.ports'));
  if (clear.seen !== undefined) return { state: 'clear', sentence: clear.seen, ends, absent: [] };

  const refuted = wanted.filter((end) => ends[end].status === 'refuted');
  const untested = wanted.filter((end) => ends[end].status === 'not-tested');
  const told = (names: readonly LinkEnd[]): string => names.map((end) => ends[end].sentence).join(' ');
  if (refuted.length > 0) {
    const rest = untested.length === 0 ? '' : ` Not tested: ${told(untested)}`;
    return {
      state: 'encrypted-only',
      sentence: `Encrypted, but not authenticated. ${told(refuted)}${rest}`,
      ends,
      absent: [],
    };
  }
  const open = [...clear.undecided, ...untested.map((end) => ends[end].sentence)];
  if (open.length > 0) {
    const sentence = `Not decided. ${open.join(' ')}`;
    return { sentence, ends, absent: [{ path: 'state', reason: sentence }] };
  }
  return {
    state: 'encrypted-and-authenticated',
    sentence: `Encrypted and authenticated. ${told(wanted)}`,
    ends,
    absent: [],
  };
}

type Read = {
  readonly facts: Record<string, unknown>;
  readonly why: (path: string, otherwise: string) => string;
  readonly given: boolean;
};

function read(observations: Readonly<Record<string, Observation>>, probe: string): Read {
  const observation = Object.hasOwn(observations, probe) ? observations[probe] : undefined;
  if (observation === undefined) return { facts: {}, why: () => `${probe} was not run.`, given: false };
  if ('error' in observation)
    return { facts: {}, why: () => `${probe} ended with an error: ${observation.error.message}`, given: true };
  const absent = observation.absent ?? [];
  // A value that is also listed as absent is not known, whatever stands there.
  const facts = without(asObject(observation.facts), new Set(absent.map((fact) => fact.path)), '');
  const why = (path: string, otherwise: string): string =>
    absent.find((fact) => fact.path === path || path.startsWith(`${fact.path}.`))?.reason ?? otherwise;
  return { facts, why, given: true };
}

/** The values whose path is not among these. */
function without(value: Record<string, unknown>, paths: ReadonlySet<string>, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const path = `${prefix}${key}`;
      if (paths.has(path)) return [];
      const object = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
      return [[key, object ? without(asObject(inner), paths, `${path}.`) : inner]];
    }),
  );
}

function serverProvesItself({ facts, why }: Read): EndObservation {
  if (facts.speaksTls === false) return refuted('The server does not speak TLS.');
  const chain = asObject(facts.chain);
  const name = asObject(facts.name);
  const validity = asObject(facts.validity);
  if (chain.trusted === false)
    return refuted(
      `The server does not prove itself: ${textOr(chain.reason, 'its chain does not lead to an anchor.')}`,
    );
  if (name.matches === false)
    return refuted(
      `The server does not prove itself: its certificate does not carry the name ${textOr(name.expected, 'that the device dials')}.`,
    );
  if (validity.valid === false)
    return refuted(
      `The server does not prove itself: its certificate is valid from ${String(validity.notBefore)} to ${String(validity.notAfter)} only.`,
    );
  if (facts.speaksTls === true && chain.trusted === true && name.matches === true && validity.valid === true) {
    return {
      status: 'observed',
      sentence: 'The server proves itself with a certificate that leads to the anchor and carries its name.',
    };
  }
  const path =
    facts.speaksTls !== true
      ? 'speaksTls'
      : chain.trusted !== true
        ? 'chain.trusted'
        : name.matches !== true
          ? 'name.matches'
          : 'validity.valid';
  return untested(`Whether the server proves itself was not seen: ${why(path, `tls.endpoint gave no ${path}.`)}`);
}

function serverInsists({ facts, why }: Read): EndObservation {
  if (facts.insists === true)
    return { status: 'observed', sentence: 'The server insists on a client certificate of its own CA.' };
  if (facts.insists === false) return refuted('The server accepts clients that do not prove who they are.');
  return untested(
    `Whether the server insists on the client's certificate was not seen: ${why('insists', 'tls.client-authentication gave no answer.')}`,
  );
}

function deviceInsists({ facts, why }: Read): EndObservation {
  if (facts.refused === false) return refuted('The device sent data to an impostor.');
  if (facts.refused === true && facts.connected === true)
    return { status: 'observed', sentence: 'The device refused an impostor.' };
  return untested(
    `Whether the device insists on the server's certificate was not seen: ${why('refused', 'tls.impostor gave no answer.')}`,
  );
}

function clearText(
  endpoint: Read,
  impostor: Read,
  twin: Read,
): { readonly seen?: string; readonly undecided: readonly string[] } {
  if (endpoint.facts.speaksTls === false) {
    return {
      seen: `Clear text: the server answers without TLS${typeof endpoint.facts.clearText === 'string' ? ` (${endpoint.facts.clearText})` : ''}.`,
      undecided: [],
    };
  }
  if (impostor.facts.spokeTls === false)
    return { seen: 'Clear text: the device sent data without TLS.', undecided: [] };
  const undecided =
    endpoint.facts.speaksTls === true
      ? []
      : [`Whether the server speaks TLS was not seen: ${endpoint.why('speaksTls', 'tls.endpoint gave no answer.')}`];
  if (!twin.given) return { undecided };
  const { open, filtered } = twin.facts;
  if (Array.isArray(open) && open.length > 0)
    return { seen: `Clear text: the server also listens on the clear-text port ${open.join(', ')}.`, undecided };
  if (!Array.isArray(open))
    return {
      undecided: [
        ...undecided,
        `Whether a clear-text port is open was not seen: ${twin.why('open', 'tcp.ports gave no answer.')}`,
      ],
    };
  if (!Array.isArray(filtered) || filtered.length > 0) {
    return {
      undecided: [
        ...undecided,
        `Whether a clear-text port is open was not seen: no answer from ${Array.isArray(filtered) ? filtered.join(', ') : 'the host'}.`,
      ],
    };
  }
  return { undecided };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function refuted(sentence: string): EndObservation {
  return { status: 'refuted', sentence };
}

function untested(sentence: string): EndObservation {
  return { status: 'not-tested', sentence };
}
