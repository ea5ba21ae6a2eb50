import { expect, test } from 'vitest';
import { FormatError, ValueError } from '../../src/base/errors.ts';
import { parseCsv } from '../../src/data/csv.ts';

test('columns are numbers where every cell is one, else words', async () => {
  const text = 'label,size,name,code\r\n3,1.5e2,"Coat, long",007a\r\n0,,"say ""hi""",12\r\n';
  const table = await parseCsv(text);
  expect([table.count, table.names]).toEqual([2, ['label', 'size', 'name', 'code']]);
  expect(table.column('label')).toEqual(Float64Array.of(3, 0));
  expect(table.numbers('size')).toEqual(Float64Array.of(150, Number.NaN));
  expect(table.column('name')).toEqual(['Coat, long', 'say "hi"']);
  expect(table.column('code')).toEqual(['007a', '12']);
  expect(table.matrix(['size', 'label'])).toEqual({
    data: Float32Array.of(150, 3, Number.NaN, 0),
    shape: [2, 2],
  });
});

test('bytes, other separators, a byte order mark and no header will do', async () => {
  const bytes = new TextEncoder().encode('\ufeff1;2\n3;4\n\n');
  const table = await parseCsv(bytes, { header: false });
  expect(table.names).toEqual(['0', '1']);
  expect(table.matrix()).toEqual({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
  expect((await parseCsv('a|b\n1|2', { delimiter: '|' })).matrix().shape).toEqual([1, 2]);
  expect((await parseCsv('a,b\n')).matrix()).toEqual({ data: new Float32Array(0), shape: [0, 2] });
});

test('a name like __proto__ is a name', async () => {
  const table = await parseCsv('__proto__,constructor\n1,2\n');
  expect(table.numbers('__proto__')).toEqual(Float64Array.of(1));
  await expect(async () => (await parseCsv('a\n1\n')).column('constructor')).rejects.toThrow(ValueError);
});

test('rows of another length, open quotes, equal names and empty files are refused by row', async () => {
  const refused = (text: string) => expect(parseCsv(text, { file: 'x.csv' })).rejects;
  await refused('a,b\n1,2\n3\n').toThrow('parseCsv: x.csv, row 3: 1 cells, expected 2.');
  await refused('a,b\n1,"2\n3,4\n').toThrow(FormatError);
  await refused('a,a\n1,2\n').toThrow('two columns are called "a"');
  await refused('').toThrow('there is nothing in it');
  const words = await parseCsv('a\n1\nx\n');
  expect(() => words.numbers('a')).toThrow('"a" has "x" in place 1');
  expect(() => words.column('b')).toThrow('there is no "b"; there are a.');
});
