import { describe, expect, it } from 'vitest';
import { deriveLink, type Observation } from '../../../core/links/link.ts';
import { linkMeans, linkProofs, linkState } from '../../../core/report/link-picture.ts';

const GOOD = {
  'tls.endpoint': {
    facts: { speaksTls: true, chain: { trusted: true }, name: { matches: true }, validity: { valid: true } },
  },
  'tls.client-authentication': { facts: { insists: true } },
  'tls.impostor': { facts: { refused: true, connected: true } },
} as const;

function shown(observations: Readonly<Record<string, Observation>>) {
  const { state, sentence, ends } = deriveLink(observations);
  const link = { ...(state === undefined ? {} : { state }), sentence, ends, requires: ['device', 'server'] as const };
  return { state: linkState(link), means: linkMeans(link), proofs: linkProofs(link) };
}
const statements = (observations: Readonly<Record<string, Observation>>) =>
  shown(observations).proofs.map(({ mark, statement }) => `${mark} ${statement}`);

describe('what is said of a link beside its picture', () => {
  it('claims a proof only where it was seen', () => {
    expect(shown(GOOD).state).toBe('encrypted-and-authenticated');
    expect(statements(GOOD)).toEqual(['1✓ It checks the server', '2✓ It checks the device', '3✓ It proves itself']);
    expect(statements({})).toEqual([
      '1? Not tested: whether it checks the server',
      '2? Not tested: whether it checks the device',
      '3? Not tested: whether it proves itself',
    ]);
    expect(shown({}).means).toContain('nothing is claimed');
  });

  it('says how it was seen without saying it twice, and leaves the id of a probe as it is', () => {
    const name = { matches: false, expected: 'emr.x.test' };
    const wrong = { ...GOOD, 'tls.endpoint': { facts: { ...GOOD['tls.endpoint'].facts, name } } };
    expect(shown(wrong).proofs[2]).toMatchObject({
      statement: 'It does not prove itself',
      sentence: 'Its certificate does not carry the name emr.x.test.',
    });
    expect(shown({}).proofs[0]?.sentence).toBe('tls.impostor was not run.');
  });

  it('says of clear text what was seen in clear', () => {
    const twin = { ...GOOD, 'tcp.ports': { facts: { open: [2575], filtered: [] } } };
    expect(shown(twin)).toMatchObject({
      state: 'clear',
      means: expect.stringContaining('listens on the clear-text port 2575. What goes over it can be read'),
    });
  });
});
