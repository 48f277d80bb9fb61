import type { Result } from '../../../core/result.ts';
import type { InquiryAnswer } from './inquiry.ts';
import type { OfferAnswer } from './offer.ts';
import { GREASE_SUITES } from './suites.ts';
import type { Offer } from './version-offer.ts';

type Answer = OfferAnswer | InquiryAnswer;

/** What it takes to tell a refusal from a failure. */
export type Recheck = {
  /** Makes the same offer again. */
  readonly again: () => Promise<Result<Answer>>;
  /** Whether the server still answers an offer that it accepted before. */
  readonly control: () => Promise<boolean>;
};
export type Refuses = (answer: Answer, recheck: Recheck) => Promise<boolean>;

/**
 * Whether an answer says that the server will not have what was offered. An alert about parameters does, and so does a
 * lower version. A server that hangs up without an alert, as GnuTLS does, refuses only where it does so again, between two
 * answers to what is known to be good, and where this is its way: an offer that is harmless, and that nobody can accept,
 * must end likewise. Something on the way that cuts off what it takes for an attack lets that one through.
 */
export function refusalsOf(offer: Offer): Refuses {
  let way: Promise<OfferAnswer['kind'] | undefined> | undefined;
  const itsWay = (): Promise<OfferAnswer['kind'] | undefined> => {
    way ??= offer('TLS 1.2', GREASE_SUITES).then((answer) => (answer.ok ? answer.value.kind : undefined));
    return way;
  };
  return async (answer, { again, control }) => {
    if (answer.kind === 'alert') return answer.refusal;
    if (answer.kind === 'lower') return true;
    if (!isHangUp(answer) || !(await control())) return false;
    const repeated = await again();
    if (!repeated.ok || repeated.value.kind !== answer.kind) return false;
    return (await itsWay()) === answer.kind && (await control());
  };
}

/** The server, or something on the way, hung up without a word. */
export function isHangUp(answer: Answer): boolean {
  return answer.kind === 'closed' || answer.kind === 'reset';
}
