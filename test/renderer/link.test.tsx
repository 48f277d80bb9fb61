import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import type { EndObservation } from '../../core/links/link.ts';
import type { LinkView } from '../../core/report/link-picture.ts';
import { useWizard } from '../../renderer/store.ts';
import { axeFaults, setTheme, startApp, stopApp, until } from './support/render.tsx';

const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;
const CONTROL = 'link.emr.authenticated';
const KEY = `${CONTROL}@link:emr-vitals`;

beforeEach(() => page.viewport(1280, 900));
afterEach(stopApp);

type Status = EndObservation['status'];
const SENTENCES: Readonly<Record<Status, string>> = {
  observed: 'It was seen.',
  refuted: 'The opposite was seen.',
  'not-tested': 'Whether it does was not seen: the probe was not run.',
};
const view = (
  state: LinkView['state'],
  sentence: string,
  device: Status,
  client: Status,
  server: Status,
): LinkView => ({
  ...(state === undefined ? {} : { state }),
  sentence,
  ends: {
    device: { status: device, sentence: SENTENCES[device] },
    client: { status: client, sentence: SENTENCES[client] },
    server: { status: server, sentence: SENTENCES[server] },
  },
  requires: ['device', 'server'],
});

async function drawn(name: string, link: LinkView): Promise<HTMLElement> {
  await setTheme('light');
  await startApp((fake) => {
    fake.openWalk();
    fake.run([KEY]);
    fake.answer('facts.link', () => link);
  });
  useWizard.setState({ current: CONTROL });
  const picture = () => document.querySelector<HTMLElement>(`figure[aria-label$=": ${name}"]`);
  await until(() => picture() !== null);
  return picture() ?? document.body;
}

const CASES = [
  {
    name: 'Encrypted and authenticated',
    link: view('encrypted-and-authenticated', '', 'observed', 'not-tested', 'observed'),
    means: 'every proof that the guide asks for was seen',
    says: ['1✓ It checks the server.', '2? Not tested: whether it checks the device.', '3✓ It proves itself.'],
    wire: 'stroke-pass',
  },
  {
    name: 'Encrypted only',
    link: view('encrypted-only', '', 'refuted', 'observed', 'observed'),
    means: 'somebody could pose as one of its ends',
    says: ['1✗ It does not check the server.', '2✓ It checks the device.', '3✓ It proves itself.'],
    wire: 'stroke-fail',
  },
  {
    name: 'Clear text',
    link: view('clear', 'Clear text: the server answers without TLS.', 'not-tested', 'not-tested', 'refuted'),
    means: 'the server answers without TLS. What goes over it can be read',
    says: ['1? Not tested: whether it checks the server.', '3✗ It does not prove itself.'],
    wire: 'stroke-fail',
  },
  {
    name: 'Not decided',
    link: view(undefined, 'Not decided.', 'not-tested', 'observed', 'observed'),
    means: 'was not tested, so nothing is claimed',
    says: ['1? Not tested: whether it checks the server.', 'The probe was not run.'],
    wire: 'stroke-idle',
  },
] as const;

describe('the picture of a link', () => {
  it.each(CASES)('says in words and in the drawing: $name', async ({ name, link, means, says, wire }) => {
    const picture = await drawn(name, link);
    const text = picture.innerText.replaceAll(/\s+/g, ' ');
    expect(text).toContain(name);
    expect(text).toContain(means);
    for (const words of says) expect(text).toContain(words);
    // Only what the guide leaves out is marked so.
    expect(text.split('The guide does not ask for it.')).toHaveLength(2);
    // What is drawn is hidden from a screen reader, which has the words, and has the state's own line and padlock.
    const drawing = picture.querySelector('svg');
    expect(drawing?.getAttribute('aria-hidden')).toBe('true');
    expect(drawing?.querySelector('path')?.getAttribute('class')).toBe(wire);
    expect(drawing?.querySelectorAll('circle')).toHaveLength(4);
  });

  it.each(CASES.flatMap(({ name, link }) => (['light', 'dark'] as const).map((theme) => ({ name, link, theme }))))(
    'is accessible in $theme colours: $name',
    async ({ name, link, theme }) => {
      const picture = await drawn(name, link);
      await setTheme(theme);
      if (PICTURES !== undefined)
        await page.screenshot({ path: `${PICTURES}/${theme}-link-${name.toLowerCase().replaceAll(' ', '-')}.png` });
      expect(await axeFaults(picture)).toEqual([]);
    },
  );
});
