/** From cloth to pixels: how light it is, how it folds and what is woven into it, and the camera's noise. */

import type { RandomSequence } from '../../base/random.ts';
import { type Canvas, PIXELS, SIZE } from './canvas.ts';

/** Folds are a smooth random field: values on a coarse grid, bilinear between them. */
const FOLD_CELLS = 4;
const FOLD_POINTS = FOLD_CELLS + 1;

/** Patterns with their shares of all cloth, in percent. */
const PATTERNS = [
  { name: 'plain', percent: 66 },
  { name: 'stripes across', percent: 16 },
  { name: 'stripes down', percent: 7 },
  { name: 'checks', percent: 4 },
  { name: 'two-tone', percent: 4 },
  { name: 'mottled', percent: 3 },
] as const;
type Pattern = (typeof PATTERNS)[number]['name'];

function pickPattern(random: RandomSequence): Pattern {
  let ticket = random.uniform() * 100;
  for (const { name, percent } of PATTERNS) {
    ticket -= percent;
    if (ticket < 0) return name;
  }
  return 'plain';
}

/** A triangle wave of period 1 between −1 and 1. */
function wave(t: number): number {
  const phase = t - Math.floor(t);
  return phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
}

const folds = new Float64Array(FOLD_POINTS * FOLD_POINTS);

function foldAt(x: number, y: number): number {
  const u = (x / SIZE) * FOLD_CELLS;
  const v = (y / SIZE) * FOLD_CELLS;
  const column = Math.floor(u);
  const row = Math.floor(v);
  const fx = u - column;
  const fy = v - row;
  const i = row * FOLD_POINTS + column;
  const top = folds[i] + (folds[i + 1] - folds[i]) * fx;
  const bottom = folds[i + FOLD_POINTS] + (folds[i + FOLD_POINTS + 1] - folds[i + FOLD_POINTS]) * fx;
  return top + (bottom - top) * fy;
}

/** Writes the canvas as bytes: cover · (shade · light · (1 + folds + pattern) + noise), 0 where nothing is. */
export function develop(
  canvas: Canvas,
  random: RandomSequence,
  out: Uint8ClampedArray,
  offset: number,
): void {
  // From white cloth to nearly black.
  const light = random.between(0.25, 0.95);
  const pattern = pickPattern(random);
  const depth = random.between(0.1, 0.36);
  const period = random.between(2.5, 8);
  const phase = random.uniform();
  const divide = random.between(9, 19);
  const foldDepth = random.between(0.04, 0.18);
  const slopeX = random.between(-0.14, 0.14);
  const slopeY = random.between(-0.18, 0.12);
  const grain = random.between(0.01, 0.07);
  for (let i = 0; i < folds.length; i++) folds[i] = foldDepth * (random.uniform() - 0.5) * 2;

  let bits = 0;
  let drawn = 0;
  for (let i = 0; i < PIXELS; i++) {
    const cover = canvas.cover[i];
    if (cover < 0.02) {
      out[offset + i] = 0;
      continue;
    }
    const x = i % SIZE;
    const y = (i - x) / SIZE;
    // Two pixels to a random word: the sum of two bytes of it is noise enough.
    if (drawn % 2 === 0) bits = random.word();
    const half = drawn++ % 2 === 0 ? bits & 0xffff : bits >>> 16;
    const noise = ((half & 0xff) + (half >>> 8)) / 255 - 1;

    let weave = 0;
    if (pattern === 'stripes across') weave = wave(y / period + phase);
    else if (pattern === 'stripes down') weave = wave(x / period + phase);
    else if (pattern === 'checks') weave = (wave(x / period + phase) + wave(y / period + phase)) / 2;
    else if (pattern === 'two-tone') weave = y < divide ? 0.8 : -0.8;
    else if (pattern === 'mottled') weave = noise;

    const relief = 1 + foldAt(x + 0.5, y + 0.5) + slopeX * (x / 14 - 1) + slopeY * (y / 14 - 1);
    const value = cover * (canvas.shade[i] * light * (relief + depth * weave) + grain * noise);
    out[offset + i] = value * 255; // clamped and rounded by the array
  }
}
