import { describe, expect, it } from 'vitest';
import { createFiles } from '../../../electron/files.ts';
import { createHandles } from '../../../electron/handles.ts';
import { createSecrets } from '../../../electron/secrets.ts';

const gone = { code: 'secret.expired', message: 'Gone.' } as const;

describe('createHandles', () => {
  it('gives handles of the agreed form, each its own', () => {
    const table = createHandles<number>({ lifeMs: 1000, most: 500, gone });
    const handles = Array.from({ length: 200 }, (_, index) => table.put(index).handle);
    expect(handles.every((handle) => /^h-[0-9a-f]{32}$/.test(handle))).toBe(true);
    expect(new Set(handles).size).toBe(200);
    table.clear();
    expect(table.size()).toBe(0);
  });

  it('ends a life at its time, and starts it anew only where it slides', () => {
    let now = 0;
    const disposed: string[] = [];
    const table = createHandles<string>({
      lifeMs: 100,
      most: 9,
      gone,
      now: () => now,
      dispose: (value) => disposed.push(value),
    });
    const sliding = createHandles<string>({ lifeMs: 100, sliding: true, most: 9, gone, now: () => now });
    const first = table.put('first');
    const second = sliding.put('second');
    expect(first.expiresAt.getTime()).toBe(100);
    now = 60;
    expect(table.get(first.handle)).toEqual({ ok: true, value: 'first' });
    expect(sliding.get(second.handle).ok).toBe(true);
    now = 120;
    expect(table.get(first.handle)).toMatchObject({ ok: false, error: { code: 'secret.expired' } });
    expect(disposed).toEqual(['first']);
    expect(sliding.get(second.handle).ok).toBe(true);
    now = 220;
    expect(sliding.get(second.handle).ok).toBe(false);
    sliding.clear();
  });

  it('gives a value away once', () => {
    const table = createHandles<string>({ lifeMs: 100, most: 9, gone });
    const { handle } = table.put('once');
    expect(table.take(handle)).toEqual({ ok: true, value: 'once' });
    expect(table.take(handle).ok).toBe(false);
  });

  it('holds no more than it may; the oldest goes', () => {
    const table = createHandles<number>({ lifeMs: 100, most: 2, gone });
    const [first, second, third] = [table.put(1), table.put(2), table.put(3)];
    expect(table.get(first.handle).ok).toBe(false);
    expect(table.get(second.handle).ok && table.get(third.handle).ok).toBe(true);
    table.clear();
  });
});

describe('createSecrets', () => {
  it('hands a secret out once, a passphrase until it expires', () => {
    let now = 0;
    const secrets = createSecrets(() => now);
    const { handle } = secrets.put('pässword');
    expect(secrets.peek(handle)).toEqual({ ok: true, value: 'pässword' });
    expect(secrets.take(handle)).toEqual({ ok: true, value: 'pässword' });
    expect(secrets.take(handle)).toMatchObject({ ok: false, error: { code: 'secret.expired' } });
    const other = secrets.put('later').handle;
    now = 24 * 60 * 60_000;
    expect(secrets.peek(other)).toMatchObject({ ok: false, error: { code: 'secret.expired' } });
  });

  it('forgets everything when told', () => {
    const secrets = createSecrets();
    const passing = secrets.put('a').handle;
    const lasting = secrets.putLasting('b');
    expect(lasting).toMatch(/^h-[0-9a-f]{32}$/);
    expect(secrets.take(lasting)).toEqual({ ok: true, value: 'b' });
    expect(secrets.take(lasting).ok).toBe(true);
    secrets.clear();
    expect(secrets.take(passing).ok || secrets.take(lasting).ok).toBe(false);
  });
});

describe('createFiles', () => {
  it('gives the same handle for the same file, and only for its kind', () => {
    const files = createFiles();
    const guide = files.refer('guide', '/somewhere/guide.yaml');
    expect(guide.name).toBe('guide.yaml');
    expect(files.refer('guide', '/somewhere/guide.yaml').handle).toBe(guide.handle);
    expect(files.refer('site', '/somewhere/guide.yaml').handle).not.toBe(guide.handle);
    expect(files.resolve('guide', guide.handle)).toEqual({ ok: true, value: '/somewhere/guide.yaml' });
    expect(files.resolve('bundle', guide.handle)).toMatchObject({ ok: false, error: { code: 'input.not-found' } });
    expect(files.resolve('guide', `h-${'0'.repeat(32)}`)).toMatchObject({
      ok: false,
      error: { code: 'input.not-found' },
    });
    files.clear();
  });
});
