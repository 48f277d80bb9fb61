import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { enrolmentOf } from '../../core/session/enrolment.ts';
import type { ChangePlan } from '../../engine/changes/change.ts';
import { readReceived } from '../../engine/keys/received.ts';
import { applyChange, planChange, planUndo } from '../../engine/session/changes.ts';
import type { Session } from '../../engine/session/session.ts';
import { type EnrolmentDevice, must, STEP } from './enrolment-device.ts';
import { openssl } from './openssl-ca.ts';

export const PASSPHRASE = 'only the operator knows it';

/** What a person does with a certificate's step, and what is then on the device. */
export function enrolmentSteps(deviceNow: () => Pick<EnrolmentDevice, 'ca' | 'folder' | 'keyFile' | 'sshd'>) {
  const approval = () => ({
    ticket: 'CHG-7',
    approver: 'Head of IT',
    credential: { user: 'root', password: deviceNow().sshd.clientKey, keyPassphrase: PASSPHRASE },
  });
  const verdict = async (session: Session) => {
    must(await session.checkGate({ typed: '1.0.0' }));
    must(await session.run([STEP], new AbortController().signal));
    return session.state().items[STEP]?.verdict;
  };
  const apply = async (session: Session, change: string) => must(await applyChange(session, STEP, change, approval()));
  const step = async (session: Session, received?: Buffer | string): Promise<{ change: string; plan: ChangePlan }> => {
    const file = received === undefined ? undefined : must(await readReceived(Buffer.from(received)));
    const shown = must(await planChange(session, STEP, file));
    expect(await apply(session, shown.change)).toEqual({ written: true, asPlanned: true, differences: [] });
    return shown;
  };
  const request = (session: Session) => {
    const made = enrolmentOf(session.journal.events, STEP).request;
    if (made === undefined) throw new Error('no request');
    return made;
  };
  const undo = async (session: Session, change: string) => {
    const back = must(await planUndo(session, STEP, change));
    expect(await apply(session, back.change)).toMatchObject({ asPlanned: true });
    return back;
  };
  const answer = (pem: string) => deviceNow().ca.sign(pem) + deviceNow().ca.intermediate;
  const keyOnDevice = () => openssl(['pkey', '-in', deviceNow().keyFile, '-pubout']).toString();
  const files = () => readdirSync(deviceNow().folder).sort();
  return { approval, verdict, apply, step, request, undo, answer, keyOnDevice, files };
}
