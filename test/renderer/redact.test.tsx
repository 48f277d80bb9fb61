import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Input } from '../../core/ipc.ts';
import { boxBetween, covered, LEAST, moved, resized } from '../../renderer/lib/boxes.ts';
import { useWizard } from '../../renderer/store.ts';
import { file, type FakeMain } from './support/fake-bridge.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

/** Name a folder inside the project in VITE_LOCKSTEP_SCREENS to keep pictures, to be looked at. */
const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;
const [WIDTH, HEIGHT] = [640, 400];
/** Chromium encodes PNG and JPEG while it is idle, and after eleven seconds at the latest. */
const ENCODED_MS = 15_000;

/** A picture as a person takes it: a rack, with a label that names a patient. */
async function photo(type: string): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.fillStyle = '#8ab';
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = '#fff';
  context.fillRect(80, 60, 260, 60);
  context.fillStyle = '#c00';
  context.font = '28px sans-serif';
  context.fillText('Huber, Erika  *1954', 90, 100);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.95));
  return new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
}

async function chosen(type = 'image/png'): Promise<FakeMain> {
  const bytes = await photo(type);
  const main = await startApp((fake) => fake.openWalk());
  main.answer('walk.attach', () => ({ picture: file('rack.png'), type, bytes }));
  useWizard.setState({ current: 'browser.supported' });
  await settle();
  await page.getByRole('button', { name: 'Attach a file…' }).click();
  await until(() => document.querySelector('[data-redact] canvas') !== null);
  await settle();
  return main;
}

const sent = (main: FakeMain) =>
  main.calls
    .filter((call) => call.channel === 'walk.attachPicture')
    .map((call) => call.input) as Input<'walk.attachPicture'>[];
const boxes = () => [...document.querySelectorAll<HTMLElement>('[data-redact] button')];
const area = () => document.querySelector<HTMLElement>('[data-redact]') as HTMLElement;
/** Where a box lies, in pixels of the picture. */
function placeOf(box: HTMLElement | undefined): number[] {
  const frame = area().getBoundingClientRect();
  const own = box?.getBoundingClientRect() ?? new DOMRect();
  const scale = WIDTH / frame.width;
  return [own.left - frame.left, own.top - frame.top, own.width, own.height].map((each) => Math.round(each * scale));
}
async function drag(from: readonly [number, number], to: readonly [number, number], start?: Element): Promise<void> {
  const frame = area().getBoundingClientRect();
  const at = ([x, y]: readonly [number, number]) => ({
    clientX: frame.left + (x / WIDTH) * frame.width,
    clientY: frame.top + (y / HEIGHT) * frame.height,
    bubbles: true,
    pointerId: 1,
    button: 0,
  });
  // There is no such pointer to capture in a test.
  area().setPointerCapture = () => {};
  (start ?? area()).dispatchEvent(new PointerEvent('pointerdown', at(from)));
  await settle();
  area().dispatchEvent(new PointerEvent('pointermove', at(to)));
  await settle();
  area().dispatchEvent(new PointerEvent('pointerup', at(to)));
  await settle();
}
async function pixels(bytes: Uint8Array | undefined): Promise<(x: number, y: number) => number[]> {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes ?? [])]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context?.drawImage(bitmap, 0, 0);
  return (x, y) => [...(context?.getImageData(x, y, 1, 1).data ?? [])].slice(0, 3);
}

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

describe('a photo that is attached', { timeout: 40_000 }, () => {
  it.each(['image/png', 'image/jpeg', 'image/webp'])('loses what is below a box for good, as %s', async (type) => {
    const main = await chosen(type);
    await drag([70, 50], [350, 130]);
    expect(boxes()).toHaveLength(1);
    expect(placeOf(boxes()[0])).toEqual([70, 50, 280, 80]);
    expect(getComputedStyle(boxes()[0] as HTMLElement).backgroundColor).toBe('rgb(0, 0, 0)');
    if (PICTURES !== undefined && type === 'image/png') await page.screenshot({ path: `${PICTURES}/redact-drawn.png` });
    await page.getByRole('button', { name: 'Attach with 1 box' }).click();
    await until(() => sent(main).length === 1, ENCODED_MS);
    const [input] = sent(main);
    expect(input).toMatchObject({ boxes: 1, keepOriginal: false, picture: file('rack.png').handle });
    const at = await pixels(input?.redacted);
    for (let x = 71; x < 350; x += 3) for (let y = 51; y < 130; y += 3) expect(Math.max(...at(x, y))).toBeLessThan(12);
    expect(Math.min(...at(500, 300))).toBeGreaterThan(100);
    await until(() => document.querySelector('[data-redact]') === null);
    expect(document.body.innerText).toContain('1 box');
  });

  it('is covered by keyboard alone', async () => {
    const main = await chosen();
    await page.getByRole('button', { name: 'Add a box' }).click();
    await settle();
    expect(document.activeElement).toBe(boxes()[0]);
    const [x = 0, y = 0, width = 0, height = 0] = placeOf(boxes()[0]);
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}{ArrowUp}');
    await settle();
    const step = WIDTH / 100;
    expect(placeOf(boxes()[0])).toEqual([Math.round(x - 2 * step), Math.round(y - step), width, height]);
    await userEvent.keyboard('{Shift>}{ArrowRight}{ArrowDown}{ArrowDown}{/Shift}');
    await settle();
    expect(placeOf(boxes()[0]).slice(2)).toEqual([Math.round(width + step), Math.round(height + 2 * step)]);
    await page.getByRole('button', { name: 'Add a box' }).click();
    await settle();
    expect(boxes()).toHaveLength(2);
    await userEvent.keyboard('{Delete}');
    await settle();
    expect(boxes()).toHaveLength(1);
    expect(document.activeElement).toBe(boxes()[0]);
    await page.getByRole('button', { name: 'Attach with 1 box' }).click();
    await until(() => sent(main).length === 1, ENCODED_MS);
    expect(sent(main)[0]?.redacted?.length).toBeGreaterThan(0);
  });

  it('has boxes that move and grow with the mouse, and none where it slipped', async () => {
    await chosen();
    await drag([100, 100], [102, 101]);
    expect(boxes()).toHaveLength(0);
    await drag([100, 100], [200, 160]);
    await drag([150, 130], [250, 180], boxes()[0]);
    expect(placeOf(boxes()[0])).toEqual([200, 150, 100, 60]);
    const handle = boxes()[0]?.querySelector('span');
    await drag([300, 210], [340, 230], handle ?? undefined);
    expect(placeOf(boxes()[0])).toEqual([200, 150, 140, 80]);
    await page.getByRole('button', { name: 'Remove all' }).click();
    await settle();
    expect(boxes()).toHaveLength(0);
  });

  it('goes as it is chosen without boxes, with the original where that is asked for', async () => {
    const main = await chosen();
    await page.getByText('With all that it shows and says', { exact: false }).click();
    await page.getByRole('button', { name: 'Attach without boxes' }).click();
    await until(() => sent(main).length === 1, ENCODED_MS);
    expect(sent(main)[0]).toMatchObject({ boxes: 0, keepOriginal: true });
    expect(sent(main)[0]?.redacted).toBeUndefined();
  });

  it('is not attached when the person thinks better of it, or when it cannot be shown', async () => {
    const main = await chosen();
    await page.getByRole('button', { name: 'Do not attach' }).click();
    await until(() => document.querySelector('[data-redact]') === null);
    expect(sent(main)).toHaveLength(0);
    main.answer('walk.attach', () => ({ picture: file('rack.png'), type: 'image/png', bytes: new Uint8Array(9) }));
    await page.getByRole('button', { name: 'Attach a file…' }).click();
    await until(() => document.body.innerText.includes('cannot be shown'));
    expect(document.querySelector<HTMLButtonElement>('[role=dialog] footer button:last-child')?.disabled).toBe(true);
  });

  it.each(['light', 'dark'] as const)('passes axe, in the %s theme and the smallest window', async (theme) => {
    await setTheme(theme);
    await page.viewport(1000, 700);
    await chosen();
    await drag([70, 50], [350, 130]);
    expect((await axeFaults()).join('\n')).toBe('');
    const dialog = document.querySelector('[role=dialog]');
    expect(dialog?.scrollWidth).toBeLessThanOrEqual((dialog?.clientWidth ?? 0) + 1);
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/redact-${theme}.png` });
  });
});

describe('boxes', () => {
  const picture = { width: 100, height: 50 };
  it('stay inside the picture, whatever is asked', () => {
    expect(boxBetween({ x: 90, y: 60 }, { x: -5, y: 10 }, picture)).toEqual({ x: 0, y: 10, width: 90, height: 40 });
    const box = { x: 10, y: 10, width: 20, height: 20 };
    expect(moved(box, 1000, -1000, picture)).toEqual({ ...box, x: 80, y: 0 });
    expect(resized(box, -1000, 1000, picture)).toEqual({ ...box, width: LEAST, height: 40 });
  });
  it('cover every pixel that they touch', () => {
    expect(covered({ x: 1.9, y: 2.1, width: 3.2, height: 1 })).toEqual({ x: 1, y: 2, width: 5, height: 2 });
  });
});
