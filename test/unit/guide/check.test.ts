import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { declareChange } from '../../../core/changes/declaration.ts';
import { checkGuide, type Declarations } from '../../../core/guide/check.ts';
import { declareProbe } from '../../../core/probes/declaration.ts';
import { marked } from '../../support/marked.ts';

const looking = declareProbe({
  id: 'test.look',
  title: 'Look',
  version: 1,
  params: z.strictObject({
    host: z.string().max(20),
    count: z.int().optional(),
    deep: z.strictObject({ port: z.int(), names: z.array(z.string()).optional() }).optional(),
  }),
  facts: z.strictObject({
    count: z.int(),
    name: z.string(),
    open: z.boolean(),
    kind: z.enum(['alpha', 'beta']),
    ports: z.array(z.int()),
    list: z.array(z.strictObject({ id: z.string(), on: z.boolean().optional() })),
    deep: z.strictObject({ value: z.number().optional() }).optional(),
    headers: z.record(z.string(), z.string()),
    json: z.json().optional(),
  }),
  visible: () => [],
  rights: 'none',
  deadlineMs: 1,
});
const plain = (id: string) =>
  declareProbe({
    id,
    title: id,
    version: 1,
    params: z.strictObject({}),
    facts: z.strictObject({ ok: z.boolean() }),
    visible: () => [],
    rights: 'none',
    deadlineMs: 1,
  });
const making = declareChange({
  id: 'test.make',
  title: 'Make',
  version: 1,
  params: z.strictObject({ name: z.string(), size: z.enum(['small', 'large']).default('small') }),
  visible: () => [],
  rights: 'none',
});

const declarations = {
  probes: [looking, plain('tls.endpoint'), plain('tls.client-authentication'), plain('tls.impostor')],
  changes: [making],
} as unknown as Declarations;

const HEAD = `guide: demo
version: 1.0.0
title: Demo
publisher: { name: Maker, contact: maker@example.org }
product: { vendor: Maker, name: Thing, versions: ">=1.0.0 <2.0.0" }
`;
const INPUTS = `inputs:
  devices: { type: device, many: true, title: Devices }
  limit: { type: number, title: Limit, default: 3 }
`;
/** A guide with one control, whose lines are given without indentation. */
const control = (body: string, inputs = INPUTS): string =>
  `${HEAD}${inputs}controls:\n  - id: one.thing\n    revision: 1\n    title: One\n    owner: hospital\n    forEach: $devices as device\n    why: Because.\n${body
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n')}\n`;
/** A check with one expectation; uses every input so that none is left over. */
const expecting = (that: string, sentence = '"no"'): string =>
  control(`applies: { when: $limit > 0, else: no limit }
checks:
  - probe: test.look
    with: { host: $device.host }
    expect:
      - that: ${that}
        else: ${sentence}`);
const calling = (parameters: string): string =>
  control(`applies: { when: $limit > 0 && device.host != "", else: no limit }
checks:
  - probe: test.look
    with: ${parameters}
    expect: [{ that: facts.open, else: closed }]`);
const LINK_CHECKS = `- probe: tls.endpoint
  - probe: tls.client-authentication
  - probe: tls.impostor`;
const linking = (checks: string, expectation: string, more = ''): string =>
  control(`applies: { when: $limit > 0, else: no limit }
checks:
  ${checks}
expect:
  - { that: ${expectation}, else: "{{ link.sentence }}" }${more}`);
const asking = (manual: string): string => control(`applies: { when: $limit > 0, else: no limit }\n${manual}`);

function faultsOf(text: string): string[] {
  return checkGuide(text, declarations).faults.map((fault) => `${fault.line}:${fault.column} ${fault.message}`);
}

/** Exactly one fault, at the mark, with these words. */
function expectFault(source: string, message: string | RegExp): void {
  const { text, line, column } = marked(source);
  const { faults } = checkGuide(text, declarations);
  expect(faults.map((fault) => `${fault.line}:${fault.column} ${fault.message}`).join('\n')).toMatch(message);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatchObject({ line, column });
}

describe('a guide without faults', () => {
  it.each([
    ['nothing', '⟦nobody', /no input "nobody"/],
    ['an input of another type', '⟦limit', /"limit" is a number/],
  ])('finds a budget for %s', (_, name, message) => {
    const guide = expecting('facts.open');
    expectFault(guide.replace('inputs:\n', `budget: { devices: { ${name}: { connections: 5 } } }\ninputs:\n`), message);
    const right = guide.replace('inputs:\n', 'budget: { devices: { devices: { connections: 5 } } }\ninputs:\n');
    expect(faultsOf(right)).toEqual([]);
  });

  it.each([
    ['comparisons', 'facts.count >= $limit && facts.kind == "alpha" && facts.name != "x"'],
    ['a guarded all', 'facts.list.size() > 0 && facts.list.all(entry, entry.on)'],
    ['a guard in front and another between', 'facts.open && size(facts.list) >= 1 && facts.list.all(entry, entry.on)'],
    ['an empty list that is named', 'facts.list.size() == 0 || facts.list.all(entry, entry.on)'],
    ['membership', 'facts.kind in ["alpha", "beta"] && 80 in facts.ports && "server" in facts.headers'],
    [
      'macros',
      'facts.list.filter(entry, entry.on).map(entry, entry.id).size() == 0 || facts.list.exists(entry, entry.id == "x")',
    ],
    ['free JSON', 'facts.json.anything.at[0] == 5'],
    ['records', 'facts.headers["server"].startsWith("x")'],
    ['the site', 'facts.open || site.practice || site.devices.exists(d, d.host == facts.name)'],
    ['a condition', '(facts.open ? facts.count : 0) > 1'],
  ])('%s', (_, that) => {
    expect(faultsOf(expecting(JSON.stringify(that)))).toEqual([]);
  });

  it('returns the guide', () => {
    expect(checkGuide(expecting('facts.open'), declarations).guide?.controls[0]?.id).toBe('one.thing');
  });

  it('a link with its three observations', () => {
    expect(faultsOf(linking(LINK_CHECKS, 'link.state == "encrypted-and-authenticated"'))).toEqual([]);
  });

  it('a link of which only the server is required', () => {
    expect(faultsOf(linking('- probe: tls.endpoint', 'link.state != "clear"', '\nrequires: [server]'))).toEqual([]);
  });

  it('parameters: literals, expressions, nested ones', () => {
    expect(
      faultsOf(calling('{ host: $device.host, count: 3, deep: { port: $limit, names: [a, $device.name] } }')),
    ).toEqual([]);
  });

  it('an observed version', () => {
    const text = expecting('facts.open').replace(
      'product: {',
      'product: { observe: { probe: test.look, with: { host: x }, version: facts.name },',
    );
    expect(faultsOf(text)).toEqual([]);
  });
});

describe('form', () => {
  it.each([
    [
      'an unknown key',
      expecting('facts.open').replace('    revision: 1', '    ⟦colour: red\n    revision: 1'),
      /unknown key "colour"/,
    ],
    ['a missing key', expecting('facts.open').replace('  - id: one.thing\n    revision: 1', '  - ⟦id: one.thing'), /./],
    ['an anchor', expecting('facts.open').replace('title: Demo', 'title: &t ⟦Demo'), /anchors/],
    [
      'a duration',
      expecting('facts.open').replace('    revision: 1', '    ⟦validFor: 90 days\n    revision: 1'),
      /ISO 8601/,
    ],
    [
      'a duration of nothing',
      expecting('facts.open').replace('    revision: 1', '    validFor: ⟦P0D\n    revision: 1'),
      /never good/,
    ],
  ])('%s', (name, source, message) => {
    if (name === 'a missing key') {
      expect(faultsOf(marked(source).text)).toHaveLength(1);
      return;
    }
    expectFault(source, message);
  });

  it('two controls with one id', () => {
    const text = expecting('facts.open');
    const second = text.slice(text.indexOf('  - id: one.thing')).replace('- id', '- ⟦id');
    expectFault(text + second, /a second control has the id "one.thing"/);
  });

  it('a control that nothing decides', () => {
    expectFault(
      control('applies: { when: $limit > 0, else: no limit }').replace('  - id: one', '  - ⟦id: one'),
      /neither checks nor a manual question/,
    );
  });

  it('a check of which nothing is expected', () => {
    expectFault(
      calling('{ host: $device.host }')
        .replace('- probe: test.look', '- probe: ⟦test.look')
        .replace('        expect: [{ that: facts.open, else: closed }]\n', ''),
      /could never pass/,
    );
  });
});

describe('names', () => {
  it.each([
    [
      'a probe',
      expecting('facts.open').replace('probe: test.look', 'probe: ⟦test.lok'),
      /no probe "test.lok"; did you mean "test.look"/,
    ],
    [
      'a change',
      control(
        'applies: { when: $limit > 0, else: no }\nmanual: { question: Is it?, answers: { a: pass, b: fail } }\nchange: { kind: ⟦test.mke, with: { name: x } }',
      ),
      /no change "test.mke"; did you mean "test.make"/,
    ],
    ['an input', expecting('facts.count > $⟦limt'), /no "limt" here; did you mean "limit"/],
    [
      'an input of forEach',
      expecting('facts.open').replace('forEach: $devices', 'forEach: $⟦device'),
      /no input "device"; did you mean "devices"/,
    ],
    ['link in a check', expecting('facts.open && ⟦link.state == "clear"'), /no "link" here/],
    ['a function', expecting('⟦facts.name.beginsWith("a")'), /no function "beginsWith"/],
    ['a call', expecting('⟦length(facts.name) > 1'), /no function "length"/],
  ])('unknown: %s', (_, source, message) => {
    if (_ === 'an input of forEach') {
      const { text, line, column } = marked(source);
      expect(checkGuide(text, declarations).faults).toContainEqual(
        expect.objectContaining({ line, column, message: expect.stringMatching(message) }),
      );
      return;
    }
    expectFault(source, message);
  });

  it('a control is applied to targets only', () => {
    const { text, line, column } = marked(
      control('checks:\n  - { probe: test.look, with: { host: x }, expect: [{ that: facts.open, else: no }] }').replace(
        'forEach: $devices',
        'forEach: $⟦limit',
      ),
    );
    expect(checkGuide(text, declarations).faults).toContainEqual(
      expect.objectContaining({ line, column, message: expect.stringContaining('of the type number') }),
    );
  });

  it.each([
    ['reserved', 'as ⟦facts', /"facts" is reserved/],
    ['link', 'as ⟦link', /"link" is reserved/],
    ['of CEL', 'as ⟦while', /"while" is reserved/],
    ['of another input', 'as ⟦limit', /hides the input/],
    ['of its own list', 'as ⟦devices', /both the list and its entry/],
  ])('a target with a name that is %s', (_, as, message) => {
    const { text, line, column } = marked(expecting('facts.open').replace('as device', as));
    expect(checkGuide(text, declarations).faults).toContainEqual(
      expect.objectContaining({ line, column, message: expect.stringMatching(message) }),
    );
  });

  it('a reserved input', () => {
    expectFault(
      expecting('facts.open && site != ""').replace('  limit: {', '  ⟦site: { type: text, title: S }\n  limit: {'),
      /"site" is reserved/,
    );
  });

  it('an input that nothing uses', () => {
    expectFault(
      expecting('facts.open').replace('  limit: {', '  ⟦spare: { type: text, title: S }\n  limit: {'),
      /"spare" is not used/,
    );
  });

  it('a variable that hides another name', () => {
    expectFault(expecting('facts.list.exists(⟦device, device.on)'), /"device" hides another name/);
  });
});

describe('inputs', () => {
  it.each([
    ['of another type', 'default: 3 }', '⟦default: many }', /the default is not number/],
    [
      'of a list',
      'type: number, title: Limit, default: 3',
      'type: number, many: true, title: Limit, ⟦default: 3',
      /a list of number/,
    ],
  ])('a default %s', (_, from, to, message) => {
    const { text, line, column } = marked(expecting('facts.open').replace(from, to));
    expect(checkGuide(text, declarations).faults).toContainEqual(
      expect.objectContaining({ line, column, message: expect.stringMatching(message) }),
    );
  });

  it('a target has no default', () => {
    expectFault(
      expecting('facts.open').replace('many: true, title: Devices', 'many: true, ⟦default: [x], title: Devices'),
      /comes from the site/,
    );
  });
});

describe('the product', () => {
  it.each([
    ['no range', '"⟦about three"', /not a range/],
    ['everything', '"⟦*"', /every version/],
    ['nothing', '"⟦>=3.0.0 <2.0.0"', /no version lies/],
  ])('a range that is %s', (_, range, message) => {
    expectFault(expecting('facts.open').replace('">=1.0.0 <2.0.0"', range), message);
  });

  it('a range of which one alternative is empty is a range', () => {
    expect(faultsOf(expecting('facts.open').replace('">=1.0.0 <2.0.0"', '">=3.0.0 <2.0.0 || 4.x"'))).toEqual([]);
  });

  it.each([
    ['an unknown probe', '{ probe: ⟦test.look2, version: facts.name }', /no probe/],
    [
      'a bad parameter',
      '{ probe: test.look, with: { host: x, ⟦hots: y }, version: facts.name }',
      /unknown parameter "hots"; did you mean "host"/,
    ],
    ['a number', '{ probe: test.look, with: { host: x }, version: ⟦facts.count }', /a version is a text/],
    ['no fact', '{ probe: test.look, with: { host: x }, version: ⟦site.name }', /must come from facts/],
    [
      'an unknown fact',
      '{ probe: test.look, with: { host: x }, version: facts.⟦nam }',
      /no "nam"; did you mean "name"/,
    ],
  ])('observed by %s', (_, observe, message) => {
    expectFault(expecting('facts.open').replace('product: {', `product: { observe: ${observe},`), message);
  });
});

describe('parameters', () => {
  it.each([
    ['an unknown one', '{ host: x, ⟦cuont: 3 }', /unknown parameter "cuont"; did you mean "count"/],
    [
      'an unknown one inside',
      '{ host: x, deep: { port: 1, ⟦prot: 2 } }',
      /unknown parameter "prot"; did you mean "port"/,
    ],
    ['a literal of another type', '{ host: x, ⟦count: many }', /expected number/i],
    ['a literal that is too long', '{ ⟦host: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }', /20/],
    ['an expression of another type', '{ host: ⟦$limit }', /this is number; here belongs string/],
    ['an expression with an unknown path', '{ host: $device.⟦hots }', /no "hots"; did you mean "host"/],
    ['an expression that cannot be read', '{ host: $device.host +⟦ }', /Unexpected token/],
  ])('%s', (_, parameters, message) => {
    const { text, line, column } = marked(calling(parameters));
    const { faults } = checkGuide(text, declarations);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toMatch(message);
    expect(faults[0]).toMatchObject({ line, column });
  });

  it('a missing one', () => {
    expect(faultsOf(calling('{ count: 1 }')).join()).toMatch(/the parameter "host" is missing/);
  });

  it('of a change', () => {
    expectFault(
      control(
        'applies: { when: $limit > 0, else: no }\nmanual: { question: Is it?, answers: { a: pass, b: fail } }\nchange: { kind: test.make, with: { name: x, ⟦size: huge } }',
      ),
      /small/,
    );
  });
});

describe('expressions', () => {
  it.each([
    ['that cannot be read', 'facts.count > ⟦> 3', /Unexpected token/],
    ['with an unknown fact', 'facts.⟦cuont > 3', /"facts" has no "cuont"; did you mean "count"/],
    [
      'with an unknown fact further down',
      'facts.open && facts.deep.⟦vlue > 1',
      /"facts.deep" has no "vlue"; did you mean "value"/,
    ],
    ['with an unknown fact in a list', 'facts.list.exists(entry, entry.⟦of)', /no "of"/],
    ['with a path through a number', 'facts.count.⟦value > 1', /is number and has no "value"/],
    ['comparing number and text', '⟦facts.count == "3"', /number and string are never equal/],
    ['comparing boolean and text', '⟦facts.open != "true"', /boolean and string are never equal/],
    ['comparing with a value outside of the enum', '⟦facts.kind == "gamma"', /"gamma" is not one of "alpha", "beta"/],
    ['comparing with null', '⟦facts.name != null', /null is not a value/],
    ['looking for a value outside of the enum', '⟦facts.kind in ["alpha", "gamma"]', /"gamma" is not one of/],
    ['looking for a text among numbers', '⟦"80" in facts.ports', /string and number are never equal/],
    ['ordering different types', '⟦facts.count > "3"', /no order/],
    ['with all and no guard', '⟦facts.list.all(entry, entry.on)', /true of an empty list/],
    [
      'with all and a guard of another list',
      'facts.ports.size() > 0 && ⟦facts.list.all(entry, entry.on)',
      /true of an empty list/,
    ],
    [
      'with all and a guard that does not hold',
      'facts.list.size() >= 0 && ⟦facts.list.all(entry, entry.on)',
      /true of an empty list/,
    ],
    [
      'with all guarded by a disjunction',
      'facts.list.size() > 0 || ⟦facts.list.all(entry, entry.on)',
      /true of an empty list/,
    ],
    ['that give no boolean', '⟦facts.count', /gives number, not true or false/],
    ['that give a list', '⟦facts.list.filter(entry, entry.on)', /gives list, not true or false/],
    ['that look at no fact', '⟦site.practice', /does not look at "facts"/],
    ['that are always true', '⟦true', /does not look at "facts"/],
    ['with a number where a boolean belongs', 'facts.open && facts.⟦count', /here belongs boolean/],
    ['with a method of another type', 'facts.⟦count.size() > 1', /here belongs string or list or map/],
    ['with an unlike sum', '⟦facts.count + facts.name == 1', /cannot join/],
  ])('%s', (_, that, message) => {
    expectFault(expecting(`'${that}'`), message);
  });

  it('points into plain, quoted and folded text', () => {
    for (const written of [
      'facts.open && facts.⟦cuont > 3',
      "'facts.open && facts.⟦cuont > 3'",
      '>-\n              facts.open &&\n              facts.⟦cuont > 3',
    ]) {
      expectFault(expecting(written), /no "cuont"/);
    }
  });

  it('points past dollars and quotes', () => {
    expectFault(expecting("'facts.count > $limit && facts.name != \"it''s $5\" && facts.⟦cuont > 3'"), /no "cuont"/);
  });

  it('of applies', () => {
    expectFault(
      control(
        'applies: { when: $⟦limt > 0, else: no }\nmanual: { question: Is it?, answers: { a: pass, b: fail } }',
      ).replace('else: no }', 'else: "{{ limit }}" }'),
      /no "limt"/,
    );
  });
});

describe('sentences', () => {
  it.each([
    ['an unknown name', '"It is {{ ⟦fact.count }}."', /no "fact" here/],
    ['an unknown fact', '"It is {{ facts.⟦cuont }}."', /no "cuont"/],
    ['an expression that cannot be read', '"It is {{ facts.count +⟦ }}."', /Unexpected token/],
    ['an open bracket', '"It is ⟦{{ facts.count."', /without its partner/],
    ['a closed bracket', '"It is facts.count ⟦}}."', /without its partner/],
  ])('with %s', (_, sentence, message) => {
    expectFault(expecting('facts.open', sentence), message);
  });

  it('where nothing is filled in', () => {
    expectFault(
      expecting('facts.open').replace('why: Because.', 'why: Because of ⟦{{ limit }}.'),
      /filled in only in "else"/,
    );
  });
});

describe('links', () => {
  it.each(['tls.endpoint', 'tls.client-authentication', 'tls.impostor'])('without the observation %s', (probe) => {
    const checks = LINK_CHECKS.split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== `- probe: ${probe}`)
      .join('\n  ');
    expectFault(
      linking(checks, 'link.state == "encrypted-and-authenticated"').replace(
        '    expect:\n      - { that: link',
        '    ⟦expect:\n      - { that: link',
      ),
      new RegExp(`the check "${probe}" is missing`),
    );
  });

  it('with one observation twice', () => {
    expectFault(linking(`${LINK_CHECKS}\n  - probe: ⟦tls.endpoint`, 'link.state == "clear"'), /here twice/);
  });

  it.each([
    ['state', '⟦link.state == "authenticated"', /"authenticated" is not one of/],
    ['part', 'link.⟦stat == "clear"', /no "stat"; did you mean "state"/],
    ['word of it', '⟦site.practice', /does not look at "link"/],
    ['facts', '⟦facts.ok', /no "facts" here/],
  ])('with an expectation of an unknown %s', (_, that, message) => {
    expectFault(linking(LINK_CHECKS, that), message);
  });

  it('requires without expect', () => {
    expectFault(
      expecting('facts.open').replace('    revision: 1', '    ⟦requires: [server]\n    revision: 1'),
      /counts only/,
    );
  });
});

describe('manual questions', () => {
  it.each([
    [
      'without an answer that passes',
      'manual: { question: Is it?, ⟦answers: { a: fail, b: not-applicable } }',
      /no answer leads to pass/,
    ],
    [
      'without an answer that fails',
      'manual: { question: Is it?, ⟦answers: { a: pass, b: not-applicable } }',
      /no answer leads to fail/,
    ],
    [
      'with required evidence of no kind',
      'manual: { question: Is it?, ⟦required: true, answers: { a: pass, b: fail } }',
      /no kind/,
    ],
    ['with one answer', 'manual: { question: Is it?, ⟦answers: { a: pass } }', /at least two/],
    ['with an answer that is an error', 'manual: { question: Is it?, answers: { ⟦a: error, b: pass } }', /./],
  ])('%s', (_, manual, message) => {
    const { text, line, column } = marked(asking(manual));
    const { faults } = checkGuide(text, declarations);
    expect(faults[0]).toMatchObject({ line, column, message: expect.stringMatching(message) });
  });
});
