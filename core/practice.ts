/**
 * The account that may write in the practice hospital's directory. Published on purpose: a newcomer needs it to try a change,
 * and it opens nothing but a directory that lives on the same computer for one practice.
 */
export const PRACTICE_WRITER = { user: 'dir-admin@hospital.example', password: 'practice-only' } as const;
