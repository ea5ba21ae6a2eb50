/** Random little trainings give the losses, metrics, predictions and weights of a float64 network. */
import { expect, test } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import { settings } from './engines.ts';
import { fuzz, range, trainings } from './fuzz.ts';

const [plain, , gpu] = settings;
const count = isNode ? 12 : 3;
/** Among these seeds are trainings that see the broken engines of scripts/mutants.js. */
const FIRST = 15;

const told = ({ reports }: Awaited<ReturnType<typeof fuzz>>): string =>
  reports.map(({ message, code }) => `${message}\n\n${code}`).join('\n\n');

test(`${count} random trainings`, async () => {
  expect(told(await fuzz(trainings, range(FIRST, count), plain))).toBe('');
}, 300_000);

if (isNode)
  test('and some on a GPU by its profile', async () => {
    expect(told(await fuzz(trainings, range(100, 3), gpu))).toBe('');
  }, 300_000);
