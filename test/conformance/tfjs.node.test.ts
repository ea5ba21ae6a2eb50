/**
 * What TensorFlow.js and Keras test, as numbers: every core case of `../shared/conformance/tfjs.json`
 * runs against the public names, and is passed or excluded with its reason. The ledger is printed.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type ConformanceCase, loadCases } from './cases.ts';
import { decisions } from './conventions.ts';
import { excluded } from './exclusions.ts';
import { Ledger } from './ledger.ts';
import { runners } from './runners.ts';

const cases = loadCases();

if (typeof cases === 'string') {
  const mayBeMissing = !process.env.CI;
  test('the conformance cases are there', (context) => {
    if (mayBeMissing) context.skip(`conformance cases not found, nothing is compared: ${cases}`);
    else expect.fail(cases);
  });
} else {
  const core = cases.filter(({ priority }) => priority === 'core');
  const ledger = new Ledger(core);
  for (const one of core) if (Object.hasOwn(excluded, one.id)) ledger.exclude(one, excluded[one.id]);
  const due = core.filter(({ id }) => !Object.hasOwn(excluded, id));

  const nameOf = ({ id, source, why }: ConformanceCase) => `${id}: ${why ?? source.test}`;
  for (const kind of new Set(core.map((one) => one.kind)))
    describe(kind, () => {
      for (const one of due.filter((other) => other.kind === kind))
        test(nameOf(one), async () => {
          try {
            await runners[kind](one);
            ledger.pass(one);
          } catch (error) {
            ledger.fail(one);
            throw error;
          }
        });
    });

  describe('conventions', () => {
    const open = cases.filter(({ priority }) => priority === 'convention');
    test('every case with more than one defensible answer has a decision', () => {
      expect(open.filter(({ id }) => !decisions(id)).map(({ id }) => id)).toEqual([]);
    });
    for (const one of open) {
      const decision = decisions(one.id);
      if (decision?.holds) test(`${one.id}: ${decision.text}`, () => decision.holds?.(one));
    }
  });

  test('445 core cases = passed + excluded', () => {
    expect(core).toHaveLength(445);
    expect(ledger.accounted).toBe(core.length);
  });
  afterAll(() => console.log(ledger.toString()));
}
