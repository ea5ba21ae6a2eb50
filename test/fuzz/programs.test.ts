/**
 * Random programs against a float64 walk: create, op, read late, dispose, gradients of gradients, steps that are
 * called several times and not awaited, updates in place, views, bytes, two shapes over the same bytes.
 *
 * A failing program is made smaller and printed as code. `npm run test:long` runs thousands (programs.long.ts).
 */
import { describe, expect, test } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import { type Theme, themes } from './draw.ts';
import { settings } from './engines.ts';
import { fuzz, programs, range } from './fuzz.ts';

const [plain, ...others] = settings;
/** Programs of each theme, and of all themes on each hand-written device. */
const [each, together] = isNode ? [14, 8] : [3, 0];
/** Among these seeds are programs that see the broken engines of scripts/mutants.js. */
const FIRST = 15;

const told = ({ reports }: Awaited<ReturnType<typeof fuzz>>): string =>
  reports.map(({ message, code }) => `${message}\n\n${code}`).join('\n\n');

describe(`F57 ${each} random programs give what float64 gives`, () => {
  test.each(themes)(
    'about %s',
    async (theme: Theme) => {
      const seeds = range(FIRST, theme === 'deep' ? Math.ceil(each / 8) : each);
      expect(told(await fuzz(programs({ theme }), seeds, plain))).toBe('');
    },
    300_000,
  );
});

if (together > 0)
  describe(`F57 ${together} random programs give what float64 gives`, () => {
    test.each(others)(
      'on $name',
      async (setting) => {
        expect(told(await fuzz(programs(), range(1000, together), setting))).toBe('');
      },
      300_000,
    );
  });
