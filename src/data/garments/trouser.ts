/** Trousers: a waist, two legs and the gap between them. */

import type { RandomSequence } from '../../base/random.ts';
import { type Canvas, MIDDLE, type Outline, onSide, SIDES, symmetric } from './canvas.ts';

export function drawTrouser(canvas: Canvas, random: RandomSequence): void {
  const top = random.between(0.8, 2.4);
  const bottom = random.between(25.8, 27.6);
  const waist = random.between(3.2, 4.8);
  const hip = waist + random.between(0.3, 1.4);
  const hipY = top + random.between(4, 6);
  const crotch = top + random.between(7, 10.5);
  const stance = random.between(0.1, 1.5); // half the gap between the hems
  const hem = stance + random.between(2, 4);
  const knee = (hip + hem) / 2 + random.between(-0.7, 0.3);
  const kneeY = (crotch + bottom) / 2 + random.between(-1, 1);
  canvas.fill(
    symmetric([
      [waist, top],
      [hip, hipY],
      [knee, kneeY],
      [hem, bottom],
      [stance, bottom],
      [stance * 0.4, kneeY],
      [0, crotch],
    ]),
  );

  const middle = (from: number, to: number): Outline => [
    [MIDDLE, from],
    [MIDDLE, to],
  ];
  // Legs pressed together are told apart by a shadow.
  canvas.stroke(middle(crotch, bottom), 0.8, random.between(0.2, 0.75));
  if (random.chance(0.5)) canvas.stroke(middle(top + 1, crotch), 0.7, random.between(0.6, 0.85));
  if (random.chance(0.7)) canvas.stroke(symmetric([[waist, top + 1.3]]), 0.8, random.between(0.6, 0.85));
  if (random.chance(0.4)) {
    // Creases, or the seams of jeans.
    const shade = random.chance(0.5) ? random.between(0.7, 0.9) : random.between(1.08, 1.25);
    const crease: Outline = [
      [hip * 0.55, hipY],
      [(stance + hem) * 0.5, bottom],
    ];
    for (const side of SIDES) canvas.stroke(onSide(side, crease), 0.8, shade);
  }
}
