import type { BrowserWindow } from 'electron';
import type { Outputs } from '../../core/ipc.ts';
import type { Result } from '../../core/result.ts';
import type { Engine } from '../engine-process.ts';
import type { ExternalOpen } from '../external-open.ts';
import type { Files } from '../files.ts';
import type { Identities } from '../identities.ts';
import type { Handlers } from '../ipc-router.ts';
import type { JsonStore } from '../json-store.ts';
import type { Pins } from '../pins.ts';
import type { LabInfo } from '../practice.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import type { Trust } from '../trust.ts';

/** What the handlers share; made once by main.ts. */
export type Shell = {
  readonly window: () => BrowserWindow | undefined;
  readonly engine: Engine;
  readonly files: Files;
  readonly secrets: Secrets;
  readonly identities: Identities;
  readonly pins: Pins;
  readonly trust: Trust;
  readonly settings: JsonStore<Settings>;
  readonly external: ExternalOpen;
  /** The practice hospital once it stands: an error when it failed to, undefined where nobody practises. */
  readonly practice: () => Promise<Result<LabInfo | undefined>>;
  readonly info: Outputs['app.info'];
  /** Folder with the guides that ship. */
  readonly shippedGuides: string;
  readonly report: (line: string) => void;
};

/** The handlers of one subject: all channels that begin with one of its words. */
export type HandlersOf<Subject extends string> = Pick<Handlers, Extract<keyof Handlers, `${Subject}.${string}`>>;
