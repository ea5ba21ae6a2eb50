/** Bags: a body, mostly with a handle above it. */

import type { RandomSequence } from '../../base/random.ts';
import { type Canvas, MIDDLE, type Outline, onSide, type Point, SIDES, symmetric } from './canvas.ts';

export function drawBag(canvas: Canvas, random: RandomSequence): void {
  const clutch = random.chance(0.18);
  const top = clutch ? random.between(6, 10) : random.between(8, 13.5);
  const bottom = random.between(22, 26.6);
  const lower = random.between(8, 12.6);
  const upper = lower * random.between(0.78, 1.06);
  const round = random.between(0.6, 2.6);
  canvas.fill(
    symmetric([
      [upper - round, top],
      [upper, top + round],
      [lower, bottom - round],
      [lower - round, bottom],
    ]),
  );
  if (!clutch) drawHandle(canvas, random, upper, top);

  if (random.chance(0.5)) {
    const y = top + (bottom - top) * random.between(0.3, 0.6);
    const flap: Outline = [
      [upper, y - 1],
      [0, y + random.between(-0.5, 1.6)],
    ];
    canvas.stroke(symmetric(flap), 0.9, random.between(0.55, 0.85));
  }
  if (random.chance(0.4)) {
    const shade = random.chance(0.5) ? random.between(0.3, 0.6) : random.between(1.3, 1.6);
    canvas.spot(MIDDLE, (top + bottom) / 2 + random.between(-2, 2), random.between(0.7, 1.6), shade);
  }
  if (random.chance(0.3)) {
    const band: Outline = [
      [upper * 0.6, top],
      [lower * 0.6, bottom],
    ];
    const shade = random.between(0.6, 0.85);
    for (const side of SIDES) canvas.stroke(onSide(side, band), 1, shade);
  }
}

/** A bow over the body: y = crown + (top − crown) · t⁴ between its ends at t = ±1. */
function drawHandle(canvas: Canvas, random: RandomSequence, upper: number, top: number): void {
  const crown = random.between(1.4, top - 4);
  const reach = random.between(0.35, 0.92) * upper;
  const half: Point[] = [];
  for (let t = 1; t >= 0; t -= 0.25) half.push([reach * t, crown + (top + 0.6 - crown) * t * t * t * t]);
  canvas.stroke(symmetric(half), random.between(1, 2), random.between(0.7, 1.15), true);
}
