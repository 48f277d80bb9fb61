import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, evaluateBoolean, fillTemplate } from '../../../core/verdict/evaluate.ts';

const name = fc.constantFrom('alpha', 'beta', 'count', 'state');
const scalar = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), fc.boolean());
/** Expressions that would be true, one way or another, of a value that is not there. */
const ESCAPES = [
  'X != "clear"',
  'X == X',
  '!(X == "clear")',
  'X != 0 || true',
  'true || X == 0',
  'X in ["a"] || 1 == 1',
  'has(X) || true',
  '!has(X)',
  '(X == 1) ? true : true',
];

describe('what is not known is never a pass', () => {
  it('absent facts, whatever stands there', () => {
    fc.assert(
      fc.property(name, scalar, fc.constantFrom(...ESCAPES), (property, value, escape) => {
        const source = escape.replaceAll('X', `facts.${property}`);
        const result = evaluateBoolean(
          source,
          { facts: { [property]: value } },
          { facts: [{ path: property, reason: 'cut off' }] },
        );
        expect(result.ok).toBe(false);
        expect(result.ok ? '' : result.error.code).toBe('expression.absent');
        expect(result.ok ? '' : result.error.cause).toContain('cut off');
      }),
    );
  });

  it('an absent parent, an absent element, and the whole', () => {
    for (const path of ['deep', 'deep.list', 'deep.list[]', 'deep.list[].on', 'deep.list.0', 'deep.list[0].on', '']) {
      const result = evaluateBoolean(
        'facts.deep.list.exists(e, e.on) || true',
        { facts: { deep: { list: [{ on: true }] } } },
        { facts: [{ path, reason: 'cut off' }] },
      );
      expect(result, path).toMatchObject({ ok: false, error: { code: 'expression.absent' } });
    }
  });

  it('an absent part of elements does not matter where only their number counts', () => {
    expect(
      evaluateBoolean(
        'facts.list.size() == 1',
        { facts: { list: [{ id: 1 }] } },
        { facts: [{ path: 'list[].on', reason: 'cut off' }] },
      ),
    ).toEqual({ ok: true, value: true });
  });

  it('missing properties', () => {
    fc.assert(
      fc.property(name, fc.constantFrom(...ESCAPES), (property, escape) => {
        expect(evaluateBoolean(escape.replaceAll('X', `facts.${property}`), { facts: {} })).toMatchObject({
          ok: false,
          error: { code: 'expression.absent' },
        });
        expect(
          evaluateBoolean(escape.replaceAll('X', `facts.${property}.below`), { facts: { [property]: {} } }),
        ).toMatchObject({ ok: false, error: { code: 'expression.absent' } });
      }),
    );
  });

  it('names that inherited properties would satisfy', () => {
    for (const source of [
      'facts.constructor != "x"',
      'facts.toString != "x"',
      'facts["__proto__"] != "x"',
      'facts.list.length != 7',
    ]) {
      expect(evaluateBoolean(source, { facts: { list: [1] } }).ok, source).toBe(false);
    }
  });

  it('null, on its own, nested, and in lists', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ESCAPES), (escape) => {
        expect(evaluateBoolean(escape.replaceAll('X', 'facts.value'), { facts: { value: null } }).ok).toBe(false);
        expect(evaluateBoolean(escape.replaceAll('X', 'facts.value.below'), { facts: { value: null } }).ok).toBe(false);
      }),
    );
    expect(
      evaluateBoolean('facts.list.exists(e, e.on == true)', { facts: { list: [{ on: true }, { on: null }] } }).ok,
    ).toBe(false);
    expect(evaluateBoolean('"a" in facts.list', { facts: { list: [null, 'a'] } }).ok).toBe(false);
    expect(evaluateBoolean('facts.value == null', { facts: { value: 1 } }).ok).toBe(false);
  });

  it('all over an empty list', () => {
    for (const source of [
      'facts.list.all(e, true)',
      'facts.list.all(e, e > 0)',
      'facts.list.filter(e, e > 5).all(e, e > 5)',
    ]) {
      expect(evaluateBoolean(source, { facts: { list: source.includes('filter') ? [1] : [] } })).toMatchObject({
        ok: false,
        error: { code: 'expression.type' },
      });
    }
  });

  it('all over an empty list behind a size guard is false, not an error', () => {
    expect(evaluateBoolean('facts.list.size() > 0 && facts.list.all(e, e > 0)', { facts: { list: [] } })).toEqual({
      ok: true,
      value: false,
    });
  });

  it('values of different types', () => {
    fc.assert(
      fc.property(scalar, scalar, fc.constantFrom('==', '!='), (left, right, operator) => {
        fc.pre(typeof left !== typeof right);
        const result = evaluateBoolean(`facts.left ${operator} facts.right`, { facts: { left, right } });
        expect(result).toMatchObject({ ok: false, error: { code: 'expression.type' } });
      }),
    );
  });

  it('values of one type compare as JavaScript does', () => {
    fc.assert(
      fc.property(scalar, scalar, (left, right) => {
        fc.pre(typeof left === typeof right);
        expect(evaluateBoolean('facts.left == facts.right', { facts: { left, right } })).toEqual({
          ok: true,
          value: left === right,
        });
        expect(evaluateBoolean('facts.left != facts.right', { facts: { left, right } })).toEqual({
          ok: true,
          value: left !== right,
        });
      }),
    );
  });

  it('whatever is not true or false', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer())), (value) => {
        expect(evaluateBoolean('facts.value', { facts: { value } })).toMatchObject({
          ok: false,
          error: { code: 'expression.type' },
        });
      }),
    );
  });

  it('any text at all ends as a value or an error, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.json(), (source, facts) => {
        expect(typeof evaluateBoolean(source, { facts: JSON.parse(facts) }).ok).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });
});

describe('expressions', () => {
  it.each([
    ['$limit + 1 == 4', true],
    ['$(limit + 1) == 4', true],
    ['"$limit" == "$" + "limit"', true],
    ['facts.n % 2 == 1', true],
    ['facts.half < 1', true],
    ['facts.half * 2.0 == 1', true],
    ['{"a": 1} == {"a": 1}', true],
    ['[1, 2] == [2, 1]', false],
    ['facts.names["x"] == "y"', true],
  ])('%s', (source, value) => {
    expect(evaluateBoolean(source, { limit: 3, facts: { n: 3, half: 0.5, names: { x: 'y' } } })).toEqual({
      ok: true,
      value,
    });
  });

  it('give plain JSON', () => {
    expect(evaluate('{"n": facts.n, "l": [facts.n + 1]}', { facts: { n: 1 } })).toEqual({
      ok: true,
      value: { n: 1, l: [2] },
    });
  });

  it('a sentence says what is unknown, and never throws', () => {
    expect(
      fillTemplate('{{ facts.n }} of {{ facts.m }}, {{ facts.list }}, {{ ( }}', { facts: { n: 1, list: [] } }),
    ).toBe('1 of (unknown), none, (unknown)');
  });
});
