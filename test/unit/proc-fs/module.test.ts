import { describe, expect, expectTypeOf, test } from 'vitest';
import { defineModule, isModule } from '../../../src/proc-fs/module/module.ts';
import { type ParameterDeclarations, parseParameters } from '../../../src/proc-fs/module/parameters.ts';

const parameters = {
  count: { type: 'number', default: 3, min: 1, max: 9, description: 'how often' },
  rate: { type: 'number', default: 0.5, description: 'how fast' },
  name: { type: 'string', default: '', description: 'who' },
  loud: { type: 'boolean', default: false, description: 'how' },
} satisfies ParameterDeclarations;

const none = { name: 'none', init: () => undefined };

describe('a module', () => {
  test('has what it says, and nothing where it says nothing', () => {
    const module = defineModule(none);
    expect(module).toMatchObject({ name: 'none', author: '', description: '', license: '', parameters: {} });
    expect([isModule(module), isModule({ ...none }), isModule(null), isModule('none')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('gets its parameters with the types that they were declared with', () => {
    defineModule({
      ...none,
      parameters,
      init({ parameters: values }) {
        expectTypeOf(values.count).toEqualTypeOf<number>();
        expectTypeOf(values.name).toEqualTypeOf<string>();
        expectTypeOf(values.loud).toEqualTypeOf<boolean>();
        // @ts-expect-error: it isn't declared
        values.other;
        return undefined;
      },
    });
  });

  test.each(['', '1st', 'a b', 'a.b', 'a#2', '../a', 'ä'])('is never called %j', (name) => {
    expect(() => defineModule({ ...none, name })).toThrow(
      `A module can't be called ${JSON.stringify(name)}: its name must be of letters, digits, "_" and "-".`,
    );
  });

  test.each([
    [{ 'a-b': parameters.name }, '"a-b" of module none must have a name of letters, digits and underscores.'],
    [{ a: { ...parameters.name, default: 1 } }, '"a" of module none must have a string as its default.'],
    [
      { a: { ...parameters.name, type: 'object' } },
      '"a" of module none must have the type number, string or boolean.',
    ],
    [{ a: { ...parameters.name, description: undefined } }, '"a" of module none must have a description.'],
    [
      { a: { ...parameters.count, default: 10 } },
      '"a" of module none has a default that it may not have: it must be from 1 to 9.',
    ],
  ])('that declares %j is refused where it is written', (declared, sentence) => {
    expect(() => defineModule({ ...none, parameters: declared as never })).toThrow(
      `The parameter ${sentence}`,
    );
  });
});

describe('parameters', () => {
  test('that are not given have their defaults', () => {
    expect(parseParameters(parameters, [])).toEqual({ count: 3, rate: 0.5, name: '', loud: false });
  });

  test.each([
    ['count=0x9', { count: 9 }],
    ['rate=-1.5e3', { rate: -1500 }],
    ['rate=2M', { rate: 2 ** 21 }],
    ['rate=.5k', { rate: 512 }],
    ['name=a=b c', { name: 'a=b c' }],
    ['name=', { name: '' }],
    ['loud', { loud: true }],
    ['loud=Yes', { loud: true }],
    ['loud=0', { loud: false }],
  ])('are read as the kernel does: %s', (word, values) => {
    expect(parseParameters(parameters, [word])).toMatchObject(values);
  });

  test.each([
    ['count=10', `"count=10" can't be: it must be from 1 to 9`],
    ['count=', `"count=" can't be: it must be a number, such as 10, 0.5, 0x1F or 512M`],
    ['count', `"count" can't be: it must be a number, such as 10, 0.5, 0x1F or 512M`],
    ['count=NaN', `"count=NaN" can't be: it must be a number, such as 10, 0.5, 0x1F or 512M`],
    ['count=1X', `"count=1X" can't be: it must be a number, such as 10, 0.5, 0x1F or 512M`],
    ['rate=1e999', `"rate=1e999" can't be: it must be a number, such as 10, 0.5, 0x1F or 512M`],
    ['name', `"name" can't be: it needs a value`],
    ['loud=maybe', `"loud=maybe" can't be: it must be y or n`],
    ['other=1', 'it has no parameter "other"; it has count, rate, name, and loud'],
    ['toString=1', 'it has no parameter "toString"; it has count, rate, name, and loud'],
  ])('that cannot be are the rest of a sentence: %s', (word, sentence) => {
    expect(() => parseParameters(parameters, [word])).toThrow(sentence);
  });

  test('are given once', () => {
    expect(() => parseParameters(parameters, ['loud', 'loud=n'])).toThrow(
      'its parameter "loud" is given twice; give it once',
    );
    expect(() => parseParameters({}, ['a=1'])).toThrow('it has no parameter "a"; it has none');
  });
});
