import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { checkGuide } from '../../../core/guide/check.ts';
import { frameworkSchema } from '../../../core/guide/frameworks.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { parseYaml } from '../../../core/yaml.ts';

const read = (path: string): string => readFileSync(new URL(`../../../assets/${path}`, import.meta.url), 'utf8');
const framework = parseYaml(read('frameworks/mds2-2019.yaml'), frameworkSchema);

describe.each([
  { name: 'reference-mdip', controls: 26, probed: 18 },
  { name: 'orthanc', controls: 12, probed: 12 },
])('the guide $name', ({ name, controls, probed }) => {
  const { guide, faults } = checkGuide(read(`guides/${name}.yaml`), {
    probes: PROBE_DECLARATIONS,
    changes: CHANGE_DECLARATIONS,
  });

  it('has no faults', () => {
    expect(faults).toEqual([]);
  });

  it(`has at least ${controls} controls, ${probed} of them decided by probes`, () => {
    expect(guide?.controls.length).toBeGreaterThanOrEqual(controls);
    expect(guide?.controls.filter((control) => control.checks.length > 0).length).toBeGreaterThanOrEqual(probed);
  });

  it('tells for every control why, how, and what it refers to', () => {
    for (const control of guide?.controls ?? []) {
      expect(control.why.length, control.id).toBeGreaterThan(20);
      expect(control.instructions.length, control.id).toBeGreaterThan(20);
      expect(control.references.mds2 ?? [], control.id).not.toEqual([]);
      expect(control.validFor, control.id).toBeDefined();
    }
  });

  it('refers only to questions that the framework file holds', () => {
    const known = framework.ok ? Object.keys(framework.value.questions) : [];
    for (const control of guide?.controls ?? []) {
      expect(
        control.references.mds2?.filter((id) => !known.includes(id)),
        control.id,
      ).toEqual([]);
    }
  });
});

describe('the framework file', () => {
  it('is well formed, and names where it comes from', () => {
    expect(framework.ok ? [] : framework.faults).toEqual([]);
    expect(framework.ok && framework.value.source).toContain('ANSI/NEMA HN 1-2019');
  });

  it.each([
    ['NAUT-3', 'iec-62443-3-3', 'SR 1.8'],
    ['CONN-7.1', 'nist-800-53-r5', 'SC-8(1)'],
    ['ALOF-1', 'hipaa', '164.312(a)(2)(iii)'],
  ])('maps %s to %s %s', (id, other, wanted) => {
    expect(framework.ok && framework.value.questions[id]?.maps[other]).toContain(wanted);
  });
});
