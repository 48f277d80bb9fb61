import { fail, ok, type Result } from '../core/result.ts';
import { controlLab, openControl } from './control.ts';
import { type FaultState, type Lab, startLab } from './index.ts';
import { REFERENCE_INPUTS } from './site.ts';

/** A practice hospital in the foreground of this process. */
export type RunningLab = {
  readonly lab: Lab;
  /** Resolves when another process asked for the end (`lab stop`) or `stop` was called; all ports are shut then. */
  readonly finished: Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts the practice hospital with its control channel and prints where everything is, one line per call of `print`.
 * Errors: `session.state` where one runs in `dir` already, `input.malformed` where the folder or a port cannot be had.
 */
export async function runLab(options: {
  dir: string;
  shipped?: boolean;
  print: (line: string) => void;
}): Promise<Result<RunningLab>> {
  const { dir, print } = options;
  if ((await controlLab(dir, { command: 'status' })).ok) {
    return fail('session.state', 'A practice hospital runs in this folder already. Stop it with: lockstep lab stop', {
      place: dir,
    });
  }
  let lab: Lab;
  let control: Awaited<ReturnType<typeof openControl>>;
  try {
    lab = await startLab({ dir, shipped: options.shipped ?? true, inputs: REFERENCE_INPUTS });
    control = await openControl(lab);
  } catch (error) {
    return fail('input.malformed', 'The practice hospital cannot start here.', {
      place: dir,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
  let ending: Promise<void> | undefined;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = (): Promise<void> => {
    ending ??= Promise.all([control.close(), lab.stop()]).then(finish);
    return ending;
  };
  void control.stopped.then(stop);
  for (const line of describeLab(lab)) print(line);
  return ok({ lab, finished, stop });
}

/** What a person wants to know of a lab that has just started. No secret. */
export function describeLab(lab: Lab): string[] {
  const { ports } = lab;
  return [
    'PRACTICE hospital, on this computer only (127.0.0.1).',
    `Site file   ${lab.siteFile}`,
    `Directory   dc1 ldap ${ports.dc1.ldap}, ldaps ${ports.dc1.ldaps}; dc2 ldap ${ports.dc2.ldap}, ldaps ${ports.dc2.ldaps}`,
    `EMR         HL7 over TLS ${ports.emr.secure}, clear-text twin ${ports.emr.clear}`,
    `Gateway     https ${ports.device.admin}, http ${ports.device.adminClear}, console ${ports.device.telnet}, debug ${ports.device.debug}`,
    `Authority   CRL ${ports.authority.crl}, OCSP ${ports.authority.ocsp}`,
    '',
    ...faultTable(lab.faults()),
  ];
}

/** The faults as a table of plain text. */
export function faultTable(faults: readonly FaultState[]): string[] {
  const width = Math.max(...faults.map((fault) => fault.id.length));
  const control = Math.max(...faults.map((fault) => fault.control.length));
  return faults.map(
    (fault) =>
      `${fault.on ? 'ON ' : 'off'} ${fault.id.padEnd(width)}  ${fault.control.padEnd(control)}  ${fault.title}`,
  );
}
