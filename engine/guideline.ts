import mozilla from '../assets/guidelines/mozilla-server-side-tls.json' with { type: 'json' };
import { tlsGuidelineSchema } from '../core/guidelines/tls-guideline.ts';

/** Mozilla's server-side TLS guideline, the edition that ships. */
export const TLS_GUIDELINE = tlsGuidelineSchema.parse(mozilla);
