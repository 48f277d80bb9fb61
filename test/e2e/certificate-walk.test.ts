import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { connect } from 'node:tls';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Channel, Input, Outputs } from '../../core/ipc.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';
import { walkScreens } from '../support/walk-screens.ts';

const STEP = 'certificate.device-web';
const DEVICE = 'gateway.hospital.example';

/** A device's certificate from its request to its undo, with the practice hospital's own authority. */
describe.skipIf(electronMissing)('a certificate in the window', () => {
  let launched: Launched;
  let page: Page;
  /** Folder of the practice hospital, with its site file. */
  let hospital: string;
  let before: string;
  let received: string;
  const { shot } = walkScreens('certificate', () => page);

  const ask = async <C extends Channel>(channel: C, input: Input<C>): Promise<Outputs[C]> => {
    const answer = await page.evaluate(([name, value]) => globalThis.lockstep.invoke(name as C, value as Input<C>), [
      channel,
      input,
    ] as const);
    if (!answer.ok) throw new Error(`${channel}: ${JSON.stringify(answer.error)}`);
    return answer.value;
  };

  beforeAll(async () => {
    launched = await launchApp({ args: ['--practice'] });
    page = await launched.app.firstWindow();
    page.setDefaultTimeout(30_000);
    await page.waitForLoadState('load');
    // The way to the walk is tried elsewhere.
    const library = await ask('library.list', {});
    const guide = library.guides.find((one) => one.practice && one.product.includes('MDIP'))?.file.handle ?? '';
    const { signer } = await ask('guide.load', { guide });
    await ask('publisher.pin', { sha256: signer?.sha256 ?? '' });
    await ask('session.open', { guide, site: library.sites[0]?.file.handle ?? '', operator: 'Erin Engineer' });
    await ask('gate.check', {});
    await ask('preflight.accept', {});
    const files = readdirSync(launched.userData, { recursive: true, encoding: 'utf8' });
    hospital = dirname(join(launched.userData, files.find((name) => basename(name) === 'hospital-ca.pem') ?? ''));
    await page.reload();
    await page.locator(`[data-step="${STEP}"]`).click();
  });
  afterAll(() => launched?.close().catch(() => undefined));

  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const panel = () => page.locator('[data-change]');
  /** Runs the checks of the step; the verdict beside it was another one before. */
  const run = async (verdict: 'Pass' | 'Fail') => {
    await button(/^Run/).last().click();
    await page.getByRole('article').locator('header').getByText(verdict, { exact: true }).waitFor();
  };
  const approve = async (ticket: string, apply: string) => {
    await page.getByLabel('Ticket').fill(ticket);
    await page.getByLabel('Approved by').fill('Hadley Hospital');
    await button(apply).click();
    await panel().getByText('Read back: as planned').waitFor();
  };
  /** The certificate that the device shows, by a connection that the hospital's authority vouches for. */
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const port = Number(new RegExp(`https://${DEVICE}:(\\d+)`).exec(read('site.yaml'))?.[1]);
      const socket = connect({ host: '127.0.0.1', port, servername: DEVICE, ca: read('hospital-ca.pem') }, () => {
        resolve(socket.getPeerX509Certificate()?.toString() ?? '');
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const read = (name: string) => readFileSync(join(hospital, name), 'utf8');
  /** In the dark and in a small window, too: they are looked at. */
  const shots = async (name: string) => {
    await shot(name);
    await page.emulateMedia({ colorScheme: 'dark' });
    await resize(1000, 700);
    await shot(`${name}-small-dark`);
    await page.emulateMedia({ colorScheme: 'light' });
    await resize(1280, 900);
  };
  const resize = (width: number, height: number) =>
    launched.app.evaluate(({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setSize(...size), [
      width,
      height,
    ] as [number, number]);

  it('says that the certificate runs out', async () => {
    before = await shown();
    await run('Fail');
    await page.getByText(/ends on .* Renew it\./).waitFor();
    await shots('runs-out');
  });

  it('plans a request, and has the device make it under a ticket', async () => {
    await button('Plan the change…').click();
    await page.getByRole('group', { name: 'Plan of the change' }).waitFor();
    await shots('request-planned');
    await approve('CHG-20001', 'Apply this plan');
    await page.getByText("The request waits for the hospital's authority.").waitFor();
    await shots('request-waits');
    expect(await shown()).toBe(before);
  });

  it('saves the request where the authority looks, and its answer comes back', async () => {
    // The window suggests the practice authority's own folder: nothing else is chosen here.
    await launched.app.evaluate(({ dialog }) => {
      dialog.showSaveDialog = (async (...given: unknown[]) => {
        const { defaultPath } = given.at(-1) as { defaultPath: string };
        return { canceled: false, filePath: defaultPath };
      }) as typeof dialog.showSaveDialog;
    });
    await button('Save the request…').click();
    await page.getByText(/^Saved: gateway\.csr/).waitFor();
    received = join(hospital, 'authority', 'gateway.crt');
    await expect.poll(() => readdirSync(dirname(received)), { timeout: 10_000 }).toContain('gateway.crt');
    expect(readdirSync(dirname(received)).sort()).toEqual(['gateway-README.txt', 'gateway.crt', 'gateway.csr']);
    await shots('request-saved');
  });

  it('imports the answer, shows what it will install, and installs it', async () => {
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
    }, received);
    await button('Import what came back…').click();
    await panel()
      .getByText(/Install the certificate/)
      .first()
      .waitFor();
    await shots('install-planned');
    await approve('CHG-20002', 'Apply this plan');
    await button('Plan the renewal…').waitFor();
    await shots('installed');
    const now = await shown();
    expect(now).not.toBe(before);
    expect(readFileSync(received, 'utf8')).toContain(now.trim());
  });

  it('passes now', async () => {
    await run('Pass');
    await shots('passes');
  });

  it('takes it back: the device shows the old one, and the step fails as before', async () => {
    await button('Plan the undo…').click();
    await page.getByRole('group', { name: 'Plan of the undo' }).waitFor();
    await shots('undo-planned');
    await approve('CHG-20003', 'Apply the undo');
    expect(await shown()).toBe(before);
    await run('Fail');
    await shots('undone');
  });
});
