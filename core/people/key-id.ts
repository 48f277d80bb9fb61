import { z } from 'zod';

/** Id of a site key, hex: an HMAC of a fixed label under it. */
export const keyIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'the 16 characters that "lockstep site key" prints');
