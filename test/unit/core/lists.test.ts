import { describe, expect, it } from 'vitest';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { shapeOf, type Shape } from '../../../core/guide/shapes.ts';

describe('the lists are described', () => {
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
