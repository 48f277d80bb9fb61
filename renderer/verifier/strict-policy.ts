import { z } from 'zod';

// Without it zod compiles its parsers with `new Function`, which the page's policy refuses. Imported before any schema.
z.config({ jitless: true });
