import type { InquiryAnswer } from './inquiry.ts';
import type { OfferAnswer } from './offer.ts';

/** What a server said to an offer or an inquiry, as the end of a sentence. */
export function describeAnswer(answer: OfferAnswer | InquiryAnswer): string {
  switch (answer.kind) {
    case 'hello':
      return 'suiteName' in answer ? `accepted with ${answer.suiteName}` : 'an answer that was not asked for';
    case 'lower':
      return 'a lower version';
    case 'alert':
      return `the alert ${answer.alert}`;
    case 'closed':
      return 'the server hung up without an alert';
    case 'reset':
      return 'the connection was reset, by the server or by something on the way to it';
    case 'silent':
      return 'no answer in time';
    case 'not-tls':
      return answer.seen;
    case 'other':
      return answer.reason;
  }
}
