/** T-shirts, pullovers, coats, shirts and dresses: one pattern, cut as a row of cuts.ts says. */

import type { RandomSequence } from '../../base/random.ts';
import { type Canvas, MIDDLE, type Outline, onSide, type Point, SIDES, symmetric } from './canvas.ts';
import type { Cut, Range } from './cuts.ts';

/** The measures of one garment, taken before it is drawn; x counts from the middle line. */
interface Measures {
  readonly shoulder: number;
  readonly chest: number;
  readonly waist: number;
  readonly hem: number;
  readonly neck: number;
  readonly top: number;
  readonly shoulderY: number;
  readonly armpit: number;
  readonly waistline: number;
  readonly bottom: number;
  /** How far the neckline opens below the top, and whether as a wedge. */
  readonly open: number;
  readonly wedge: boolean;
}

export function drawTop(canvas: Canvas, random: RandomSequence, cut: Cut): void {
  const measures = measure(random, cut);
  drawSleeves(canvas, random, cut, measures); // first: the body lies over them
  drawBody(canvas, random, measures);
  drawNeckline(canvas, random, measures);
  if (random.chance(cut.collar)) drawCollar(canvas, random, measures);
  if (random.chance(cut.opening)) drawOpening(canvas, random, measures);
  if (random.chance(cut.buttons)) drawButtons(canvas, random, measures);
  if (random.chance(cut.ribs)) drawRibs(canvas, random, measures);
  if (random.chance(cut.pockets)) drawPockets(canvas, random, measures);
  if (random.chance(cut.print)) drawPrint(canvas, random);
}

function measure(random: RandomSequence, cut: Cut): Measures {
  const pick = ([low, high]: Range) => random.between(low, high);
  const shoulder = pick(cut.shoulder);
  const chest = pick(cut.chest);
  const top = random.between(0.8, 2.6);
  const shoulderY = top + random.between(1, 2.4);
  const wedge = random.chance(cut.vNeck);
  return {
    shoulder,
    chest,
    waist: chest * pick(cut.waist),
    hem: chest * pick(cut.hem),
    neck: Math.min(pick(cut.neckWidth), shoulder - 0.8),
    top,
    shoulderY,
    armpit: shoulderY + random.between(4, 5.6),
    waistline: pick(cut.waistline),
    bottom: pick(cut.bottom),
    open: pick(cut.neckDepth) * (wedge ? 1.5 : 1),
    wedge,
  };
}

/** Darker or lighter than the cloth, as likely the one as the other: no linear model can count on either. */
function contrast(random: RandomSequence, darker: Range, lighter: Range): number {
  const [low, high] = random.chance(0.5) ? darker : lighter;
  return random.between(low, high);
}

function drawSleeves(canvas: Canvas, random: RandomSequence, cut: Cut, measures: Measures): void {
  const { shoulder, shoulderY, armpit, chest } = measures;
  const width = random.between(cut.sleeveWidth[0], cut.sleeveWidth[1]);
  const shade = random.between(0.87, 1.07);
  const ticket = random.uniform();
  const long = ticket < cut.longSleeves;
  if (!long && ticket >= cut.longSleeves + cut.shortSleeves) return;

  const spread = long ? random.between(0.5, 4) : random.between(2.4, 4.8);
  const cuffY = long ? random.between(19.5, 26) : shoulderY + random.between(4.2, 7.4);
  const ribbed = long && random.chance(cut.ribs);
  for (const side of SIDES) {
    const cuff = shoulder + spread + random.between(-0.4, 0.4);
    const wrist = cuff - width * (long ? 0.72 : 0.8);
    const outer: Point = [cuff, cuffY];
    const inner: Point = [wrist, cuffY + (long ? 0.4 : 1.2)];
    const elbow: Point[] = long ? [[shoulder + 1.6 + spread * 0.34, armpit + 1]] : [];
    canvas.fill(
      onSide(side, [
        [shoulder - 1.5, shoulderY - 0.7],
        [shoulder + 0.3, shoulderY],
        ...elbow,
        outer,
        inner,
        [chest - 0.4, armpit + 0.7],
      ]),
      shade,
    );
    if (ribbed) {
      const cuffLine = onSide(side, [
        [cuff, cuffY - 1.3],
        [wrist, cuffY - 1],
      ]);
      canvas.stroke(cuffLine, 0.8, shade * 0.72);
    }
  }
}

function drawBody(canvas: Canvas, random: RandomSequence, measures: Measures): void {
  const { neck, top, shoulder, shoulderY, chest, armpit, waist, waistline, hem, bottom } = measures;
  const sag = random.between(-0.2, 0.9); // the hem's middle hangs lower than its corners
  canvas.fill(
    symmetric([
      [neck, top],
      [shoulder, shoulderY],
      [chest, armpit],
      [waist, waistline],
      [hem, bottom],
      [hem * 0.5, bottom + sag * 0.75],
    ]),
  );
  const armhole: Outline = [
    [shoulder - 0.4, shoulderY + 0.5],
    [chest - 0.2, armpit],
  ];
  const seam = random.between(0.72, 0.98);
  for (const side of SIDES) canvas.stroke(onSide(side, armhole), 0.7, seam);
}

/** A wedge or a bow is cut out; behind it the inside of the back may show. */
function drawNeckline(canvas: Canvas, random: RandomSequence, { neck, top, open, wedge }: Measures): void {
  const bow: Point[] = [
    [neck * 0.72, top + open * 0.62],
    [neck * 0.3, top + open * 0.95],
  ];
  canvas.cut(symmetric([[neck, top - 1], [neck, top], ...(wedge ? [[0, top + open] as const] : bow)]));
  if (random.chance(0.55)) {
    const back: Outline = [
      [neck, top + 0.2],
      [0, top + 0.9],
    ];
    canvas.stroke(symmetric(back), 1.2, random.between(0.4, 0.7), true);
  }
}

function drawCollar(canvas: Canvas, random: RandomSequence, { neck, top, open }: Measures): void {
  const shade = contrast(random, [0.4, 0.72], [1.2, 1.5]);
  const fall = open + random.between(1, 2.4);
  const leaf: Outline = [
    [neck - 0.6, top - 0.9],
    [neck + 1.3, top + 0.3],
    [neck * 0.62 + 1.2, top + fall],
    [0.1, top + open],
  ];
  for (const side of SIDES) canvas.fill(onSide(side, leaf), shade);
}

/** An open front shows the dark inside or something light worn below; a closed one is a line. */
function drawOpening(canvas: Canvas, random: RandomSequence, { top, open, bottom }: Measures): void {
  const gap = random.between(0.3, 1.6);
  const spread = random.between(0.2, 2.2);
  const shade = random.chance(0.65) ? random.between(0.12, 0.6) : random.between(1.2, 1.5);
  canvas.tint(
    symmetric([
      [gap, top + open * 0.6],
      [spread, bottom + 1],
    ]),
    shade,
  );
}

function drawButtons(canvas: Canvas, random: RandomSequence, { top, open, bottom }: Measures): void {
  const x = MIDDLE + random.between(-0.3, 0.3);
  const placket = contrast(random, [0.45, 0.78], [1.15, 1.4]);
  if (random.chance(0.75)) {
    const front: Outline = [
      [x, top + open],
      [x, bottom],
    ];
    canvas.stroke(front, random.between(1.2, 2.4), placket);
  }
  const shade = random.chance(0.6) ? random.between(0.2, 0.55) : random.between(1.3, 1.7);
  const gap = random.between(2.2, 4);
  for (let y = top + open + 1; y < bottom - 1; y += gap) canvas.spot(x, y, 0.65, shade);
}

function drawRibs(canvas: Canvas, random: RandomSequence, { hem, bottom, neck, top, open }: Measures): void {
  const shade = random.between(0.66, 0.9);
  canvas.stroke(symmetric([[hem, bottom - 1.2]]), 1, shade);
  const crew: Outline = [
    [neck, top + 0.4],
    [0, top + open + 0.5],
  ];
  canvas.stroke(symmetric(crew), 0.9, shade);
}

function drawPockets(canvas: Canvas, random: RandomSequence, { chest, bottom }: Measures): void {
  const y = bottom - random.between(5.5, 9);
  const slit: Outline = [
    [chest * 0.35, y],
    [chest * 0.78, y + random.between(-0.4, 1)],
  ];
  const shade = random.between(0.5, 0.8);
  const both = random.chance(0.75);
  for (const side of both ? SIDES : SIDES.slice(0, 1)) canvas.stroke(onSide(side, slit), 0.8, shade);
}

/** A blot on the chest, of some shape and size. */
function drawPrint(canvas: Canvas, random: RandomSequence): void {
  const width = random.between(1.6, 4);
  const height = random.between(1.2, 4);
  const y = random.between(10.5, 14);
  const blot: Outline = [
    [-width, y - height * 0.4],
    [-width * 0.4, y - height],
    [width * 0.5, y - height * 0.9],
    [width, y + height * 0.2],
    [width * 0.3, y + height],
    [-width * 0.7, y + height * 0.8],
  ];
  canvas.tint(onSide(1, blot), contrast(random, [0.25, 0.7], [1.2, 1.5]));
}
