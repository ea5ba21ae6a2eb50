/** The table of error codes in the documents is that of the sources. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as errors from '../../src/base/errors.ts';

test('every error has one code, one class and one row in the documents', () => {
  const source = readFileSync('src/base/errors.ts', 'utf8');
  const classes = [...source.matchAll(/\/\*\* (.*) \*\/\nexport class (\w+) extends coded\('(\w+)'\)/g)];
  const codes = [...source.slice(0, source.indexOf('Every error')).matchAll(/'([A-Z_]+)'/g)].map(
    ([, code]) => code,
  );
  expect(classes.map(([, , , code]) => code).sort()).toEqual(codes.sort());
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| ([A-Z_]+) \| (\w+) \| (.*) \|$/gm)];
  expect(rows.map(([, code, name, when]) => [when, name, code])).toEqual(
    classes.map(([, when, name, code]) => [when, name, code]),
  );
  for (const [, , name, code] of classes) {
    const error = new (errors as unknown as Record<string, new (message: string) => errors.WeftError>)[name](
      'x',
    );
    expect(error).toBeInstanceOf(errors.WeftError);
    expect(error).toMatchObject({ code, name, message: 'x' });
  }
});
