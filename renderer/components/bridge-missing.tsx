import { appError } from '../../core/result.ts';
import { ErrorNote } from './note.tsx';

/** Shown where the page runs outside Lockstep's own window. */
export function BridgeMissing() {
  return (
    <main className="mx-auto max-w-[640px] p-10">
      <h1 className="mb-4 text-2xl font-semibold">Lockstep cannot start</h1>
      <ErrorNote
        error={appError('internal', 'This page has no connection to Lockstep’s main process.', {
          cause: 'It was opened outside the application, or its preload script was refused.',
        })}
      />
    </main>
  );
}
