/** Sandals, sneakers and ankle boots, seen from the side with the toe at the left. */

import type { RandomSequence } from '../../base/random.ts';
import type { Canvas, Point } from './canvas.ts';

/** Where the upper stands: from toe to heel, on top of the sole at either end. */
interface Sole {
  readonly toe: number;
  readonly heel: number;
  readonly toeY: number;
  readonly heelY: number;
}

/** The places of the upper that its details are drawn at. */
interface Upper extends Sole {
  /** Where the laces end. */
  readonly throat: number;
  readonly throatY: number;
  readonly toeBox: number;
  readonly collarY: number;
}

interface SoleOptions {
  readonly ground: number;
  readonly thickness: number;
  readonly heelHeight: number;
}

function drawSole(canvas: Canvas, random: RandomSequence, options: SoleOptions): Sole {
  const { ground, thickness, heelHeight } = options;
  const shade = random.chance(0.5) ? random.between(0.4, 0.85) : random.between(1.05, 1.4);
  const toe = random.between(1, 2.4);
  const heel = random.between(25.4, 27);
  const toeY = ground - thickness;
  const heelY = toeY - heelHeight;
  if (heelHeight > 1.2) {
    // The sole climbs from the arch on; the heel stands under its end.
    const arch = random.between(11, 16);
    const block = random.between(2, 5.5);
    canvas.fill(
      [
        [toe, toeY],
        [arch, toeY],
        [heel, heelY],
        [heel, heelY + thickness],
        [arch, ground],
        [toe + 0.6, ground],
      ],
      shade,
    );
    canvas.fill(
      [
        [heel - block - 0.6, heelY + thickness * 0.6 + 0.3],
        [heel, heelY],
        [heel - 0.2, ground],
        [heel - block, ground],
      ],
      shade,
    );
  } else {
    canvas.fill(
      [
        [toe, toeY],
        [heel, heelY],
        [heel + 0.2, heelY + 0.6],
        [heel - 0.3, ground],
        [toe + 0.8, ground],
      ],
      shade,
    );
  }
  return { toe, heel, toeY, heelY };
}

export function drawSandal(canvas: Canvas, random: RandomSequence): void {
  const { toe, heel, toeY, heelY } = drawSole(canvas, random, {
    ground: random.between(17, 26),
    thickness: random.between(1, 2.8),
    heelHeight: random.chance(0.42) ? random.between(2.5, 9) : random.between(0, 1.1),
  });
  // Points on the sole and on the back of the foot, at a share t of the way from toe to heel.
  const rise = random.between(4, 7);
  const along = (t: number) => toe + (heel - toe) * t;
  const soleY = (t: number) => toeY + (heelY - toeY) * (t < 0.45 ? 0 : (t - 0.45) / 0.55);
  const footY = (t: number) => soleY(t) - rise * (0.35 + 0.75 * t);
  const onSole = (t: number): Point => [along(t), soleY(t)];
  const onFoot = (t: number, lower = 0): Point => [along(t), footY(t) + lower];

  const strap = (...points: Point[]) =>
    canvas.stroke(points, random.between(1.1, 2.6), random.between(0.8, 1.2), true);
  const band = (from: number, to: number) => strap(onSole(from), onFoot((from + to) / 2, 0.6), onFoot(to));
  band(0.06, random.between(0.2, 0.34));
  if (random.chance(0.75)) band(random.between(0.34, 0.46), random.between(0.14, 0.28));
  if (random.chance(0.6)) band(random.between(0.26, 0.4), random.between(0.48, 0.6));
  if (random.chance(0.4)) band(random.between(0.5, 0.6), random.between(0.62, 0.76));
  if (random.chance(0.78)) {
    // Round the ankle and down behind the heel.
    const t = random.between(0.6, 0.74);
    const ankle = onFoot(t, random.between(-1.6, 0.5));
    strap(ankle, [along(0.97), ankle[1] + random.between(-0.8, 0.8)]);
    strap([along(0.97), ankle[1]], [along(0.98), heelY]);
    if (random.chance(0.5)) strap(ankle, [along(random.between(0.42, 0.62)), soleY(0.55)]);
  }
  // A closed upper with openings: nearly a shoe.
  if (random.chance(0.24)) {
    canvas.fill([onSole(0), onFoot(0.18), onFoot(0.5), onSole(0.62)], random.between(0.8, 1.2));
  }
}

export function drawSneaker(canvas: Canvas, random: RandomSequence): void {
  const sole = drawSole(canvas, random, {
    ground: random.between(17, 26),
    thickness: random.between(1.4, 3),
    heelHeight: random.between(0, 1),
  });
  const { toe, heel, toeY, heelY } = sole;
  const toeBox = random.between(2, 3.4);
  const throat = toe + (heel - toe) * random.between(0.42, 0.56);
  const throatY = toeY - random.between(4.6, 7.4);
  // One in six is a high-top, half a boot.
  const collarY = heelY - (random.chance(0.17) ? random.between(9, 14) : random.between(5.4, 9.4));
  const collar = heel - random.between(6, 8.6);
  canvas.fill([
    ...toeCap(sole, toeBox),
    [toe + (throat - toe) * 0.55, toeY - toeBox - 1.1],
    [throat, throatY],
    [collar, collarY + random.between(-0.6, 1)],
    [(collar + heel) / 2 + 0.6, collarY + random.between(0.4, 1.8)],
    [heel - 1, collarY + random.between(-1, 0.6)],
    [heel, collarY + 1.2],
    [heel - 0.2, heelY + 0.2],
  ]);
  drawDetails(canvas, random, { ...sole, throat, throatY, toeBox, collarY });
}

export function drawBoot(canvas: Canvas, random: RandomSequence): void {
  const sole = drawSole(canvas, random, {
    ground: random.between(20, 26.8),
    thickness: random.between(0.9, 2.4),
    heelHeight: random.chance(0.4) ? random.between(1.6, 5.4) : random.between(0, 1.1),
  });
  const { toe, heel, toeY, heelY } = sole;
  const toeBox = random.between(2, 3.6);
  const shaft = random.between(8.6, 12.6); // its width
  const shaftTop = random.chance(0.7) ? random.between(1.6, 7) : random.between(7, 12);
  const throat = heel - shaft + random.between(-1, 1);
  const throatY = heelY - random.between(5, 8);
  const front = throat + random.between(-0.6, 1.4);
  canvas.fill([
    ...toeCap(sole, toeBox),
    [toe + (throat - toe) * 0.6, toeY - toeBox - 1.4],
    [throat, throatY],
    [front, shaftTop + random.between(-0.4, 0.6)],
    [heel - 0.4, shaftTop],
    [heel - random.between(0.2, 1), throatY],
    [heel - 0.1, heelY + 0.2],
  ]);
  if (random.chance(0.35)) {
    // A band of fur or elastic round the top.
    const y = shaftTop + random.between(0.8, 2.4);
    const band: Point[] = [
      [front, y],
      [heel - 0.4, y],
    ];
    canvas.stroke(band, random.between(0.8, 1.8), random.between(0.55, 0.85));
  }
  if (random.chance(0.4)) {
    const x = throat + shaft * random.between(0.4, 0.7);
    const zip: Point[] = [
      [x, shaftTop + 0.6],
      [x + random.between(-1, 1), heelY - 1],
    ];
    canvas.stroke(zip, 0.7, random.between(0.5, 0.8));
  }
  drawDetails(canvas, random, { ...sole, throat, throatY, toeBox, collarY: throatY - 2 });
}

const toeCap = ({ toe, toeY }: Sole, toeBox: number): Point[] => [
  [toe, toeY + 0.2],
  [toe + 0.3, toeY - toeBox * 0.7],
  [toe + 2.4, toeY - toeBox],
];

/** Laces, side stripes, a seam behind the toes and a heel counter, each there or not. */
function drawDetails(canvas: Canvas, random: RandomSequence, upper: Upper): void {
  const { toe, heel, toeY, heelY, throat, throatY, toeBox, collarY } = upper;
  const tone = () => (random.chance(0.5) ? random.between(0.45, 0.8) : random.between(1.15, 1.45));
  const line = (from: Point, to: Point, width: number, shade: number) =>
    canvas.stroke([from, to], width, shade);
  if (random.chance(0.55)) {
    const shade = tone();
    const laces = 3 + random.below(2);
    for (let i = 0; i < laces; i++) {
      const t = 0.5 + (0.5 * i) / laces;
      const x = toe + (throat - toe) * t;
      const y = toeY - toeBox + (throatY - toeY + toeBox) * t;
      line([x - 0.4, y + 0.3], [x + 1.4, y + 2], 0.8, shade);
    }
  }
  if (random.chance(0.45)) {
    const shade = tone();
    const stripes = 1 + random.below(3);
    for (let i = 0; i < stripes; i++) {
      const x = toe + (heel - toe) * (0.46 + 0.1 * i);
      line([x, toeY - 0.6], [x + random.between(1, 3), throatY + 2.2], 0.9, shade);
    }
  }
  if (random.chance(0.35)) line([toe + 3.6, toeY], [toe + 4.4, toeY - toeBox - 0.3], 0.8, tone());
  if (random.chance(0.35)) {
    canvas.tint(
      [
        [heel - 3.4, heelY],
        [heel - 2.6, collarY + 3],
        [heel, collarY + 2],
        [heel, heelY],
      ],
      tone(),
    );
  }
}
