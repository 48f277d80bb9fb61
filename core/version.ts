import manifest from '../package.json' with { type: 'json' };

/** Lockstep's version. */
export const VERSION: string = manifest.version;
