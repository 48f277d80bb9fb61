import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { PROBES } from '../../../engine/probes/index.ts';
import { shapeOf, type Shape } from '../../../core/guide/shapes.ts';

const files = (folder: string, ...others: string[]): string[] =>
  readdirSync(new URL(`../../../${folder}/`, import.meta.url))
    .filter((name) => name.endsWith('.ts') && !['index.ts', 'declaration.ts', ...others].includes(name))
    .map((name) => name.slice(0, -3))
    .sort();
const named = (ids: readonly string[]): string[] => ids.map((id) => id.replaceAll('.', '-')).sort();

describe('the lists are complete', () => {
  it('of probes: declared, and able to run', () => {
    expect(named(PROBE_DECLARATIONS.map((probe) => probe.id))).toEqual(files('core/probes'));
    expect(PROBES.map((probe) => probe.declaration)).toEqual(PROBE_DECLARATIONS);
  });

  it('of changes', () => {
    expect(named(CHANGE_DECLARATIONS.map((change) => change.id))).toEqual(files('core/changes'));
  });

  it.each(PROBE_DECLARATIONS.map((probe) => [probe.id, probe] as const))(
    '%s describes each parameter and fact',
    (_, probe) => {
      for (const schema of [shapeOf(probe.params, 'input'), shapeOf(probe.facts, 'output')]) {
        for (const [name, shape] of Object.entries(schema.properties ?? {}))
          expect((shape as Shape & { description?: string }).description, name).toBeTruthy();
      }
    },
  );
});
