/**
 * Random programs and trainings by the thousand, longer ones among them, on every hand-written device. Each test ends
 * after its minutes and says how many programs it ran; failing programs are made smaller and printed as code.
 */
import { describe, expect, test } from 'vitest';
import { themes } from './draw.ts';
import { settings } from './engines.ts';
import { fuzz, type Kind, programs, range, trainings } from './fuzz.ts';

const asked = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
/** Where seeds begin: those of every day are below. */
const from = asked('WEFT_FROM', 10_000);
/** Programs of each theme; of all themes on each device half as many; a tenth as many trainings on each. */
const count = asked('WEFT_PROGRAMS', 250);
const minutes = asked('WEFT_MINUTES', 10);

async function agree<P>(kind: Kind<P>, seeds: number[], setting: (typeof settings)[number], what: string) {
  const end = performance.now() + minutes * 60_000;
  const begin = performance.now();
  const { run, reports } = await fuzz(kind, seeds, setting, { most: 3, shrinkMs: 60_000, end });
  console.log(`${what}: ${run} of ${seeds.length} in ${Math.round((performance.now() - begin) / 1000)} s`);
  expect(reports.map(({ message, code }) => `${message}\n\n${code}`).join('\n\n')).toBe('');
}

describe('random programs give what float64 gives', () => {
  test.each(themes)('about %s', async (theme) => {
    await agree(programs({ theme }), range(from, theme === 'deep' ? count / 10 : count), settings[0], theme);
  });
  test.each(themes)('longer ones about %s', async (theme) => {
    if (theme === 'deep') return;
    const seeds = range(from + 20_000, Math.ceil(count / 5));
    await agree(programs({ theme, scale: 3 }), seeds, settings[0], `long, ${theme}`);
  });
  test.each(settings.slice(1))('on $name', async (setting) => {
    await agree(programs(), range(from + 40_000, Math.ceil(count / 2)), setting, setting.name);
  });
});

describe('random trainings give what a float64 network gives', () => {
  test.each(settings)('on $name', async (setting) => {
    await agree(trainings, range(from, Math.ceil(count / 5)), setting, `trainings, ${setting.name}`);
  });
});
