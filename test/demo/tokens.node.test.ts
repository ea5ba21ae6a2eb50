/** The colours of the demo pages can be read: contrasts by WCAG 2.2, computed from the tokens, in both themes. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync('demo/shared/tokens.css', 'utf8');
const pairs = Object.fromEntries(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name, { light, dark }],
  ),
);

/** Relative luminance of `#rrggbb` in sRGB. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Front on back, and the least contrast: 4.5 for words, 3 for what is drawn. */
const rules: [front: string, backs: string[], least: number][] = [
  ['ink', ['paper', 'card', 'well', 'accent-soft', 'warn-soft', 'bad-soft'], 7],
  ['muted', ['paper', 'card', 'well'], 4.5],
  ['link', ['paper', 'card', 'well', 'warn-soft', 'bad-soft'], 4.5],
  ['accent-ink', ['accent'], 4.5],
  ['good', ['card', 'well'], 4.5],
  ['warn', ['card', 'well', 'warn-soft'], 4.5],
  ['bad', ['card', 'well', 'bad-soft'], 4.5],
  ['train', ['card', 'well'], 3],
  ['validation', ['card', 'well'], 3],
  ['edge', ['card', 'paper'], 3],
  ['focus', ['paper', 'card', 'well'], 3],
  ['below', ['zero'], 4.5],
  ['above', ['zero'], 4.5],
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  test.each(rules.flatMap(([front, backs, least]) => backs.map((back) => [front, back, least] as const)))(
    '%s can be told from %s at %d : 1',
    (front, back, least) => {
      expect(contrast(pairs[front][theme], pairs[back][theme])).toBeGreaterThanOrEqual(least);
    },
  );
});
