import { join } from 'node:path';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, type Session } from '../../engine/session/session.ts';
import type { Lab } from '../../lab/index.ts';
import { ROOT } from './cli.ts';

export type ItemResult = { readonly key: string; readonly verdict: string | undefined; readonly sentences: readonly string[] };

/** A session as a person would open it now: the site file follows the device's own copy of the anchor. */
export async function openPractice(lab: Lab, dir: string): Promise<Session> {
  const guide = await loadGuide(join(ROOT, 'assets', 'guides', 'reference-mdip.yaml'), {});
  const site = await loadSite(lab.siteFile);
  if (!guide.ok || !site.ok) throw new Error(JSON.stringify([guide, site]));
  const session = await openSession(join(dir, 'sessions'), guide.value, site.value, {
    now: () => new Date(),
    lockstep: '0.0.0',
    runtime: { node: process.versions.node },
    operator: 'Test',
    ask: async () => false,
  });
  if (!session.ok) throw new Error(JSON.stringify(session.error));
  for (const [name, value] of Object.entries(lab.secrets)) session.value.secrets.set(name, value);
  return session.value;
}

/** Runs one control, or every one that probes decide, in a session of its own. */
export async function verdictsOf(lab: Lab, dir: string, control?: string): Promise<ItemResult[]> {
  const session = await openPractice(lab, dir);
  try {
    // A fault of the device's own certificate hides its version too.
    await session.checkGate({ overrideReason: 'A test breaks the device on purpose.' });
    const items = session.plan.items.filter((item) => (control === undefined ? item.control.manual === undefined : item.control.id === control));
    const ran = await session.run(items.map((item) => item.key), new AbortController().signal);
    if (!ran.ok) throw new Error(JSON.stringify(ran.error));
    const { items: known } = session.state();
    return items.map(({ key }) => ({ key, verdict: known[key]?.verdict, sentences: (known[key]?.findings ?? []).map((finding) => finding.sentence) }));
  } finally {
    await session.close();
  }
}

/** Brings one fault, looks at its control, mends it. */
export async function breakAndLook(lab: Lab, dir: string, fault: { readonly id: string; readonly control: string }): Promise<ItemResult[]> {
  await lab.setFault(fault.id, true);
  try {
    return await verdictsOf(lab, dir, fault.control);
  } finally {
    await lab.setFault(fault.id, false);
  }
}
