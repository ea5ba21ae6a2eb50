/** From ink of any size to the 28 × 28 of a data set: the size and the place that its pictures have. */
import { PIXELS, SIDE } from '../protocol.ts';

/** Grey values from 0 (ground) to 1 (ink), row by row. */
export interface Ink {
  readonly values: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** How a data set places its pictures. */
export interface Placement {
  /** The longer side of what is shown, in pixels of 28. */
  readonly size: number;
  /** What lies in the middle: the centre of mass (MNIST) or of the bounding box (Fashion-MNIST). */
  readonly centre: 'mass' | 'box';
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Fainter than this is ground. */
const FAINT = 0.08;

const MIDDLE = SIDE / 2;

/** Reads off a few pictures how they were placed. bytes: [n, PIXELS]. */
export function placementOf(bytes: Uint8Array): Placement {
  const sizes: number[] = [];
  const away = { mass: 0, box: 0 };
  for (let start = 0; start + PIXELS <= bytes.length; start += PIXELS) {
    const values = Float32Array.from(bytes.subarray(start, start + PIXELS), (byte) => byte / 255);
    const ink = { values, width: SIDE, height: SIDE };
    const box = boundingBox(ink);
    if (!box) continue;
    const mass = centreOfMass(ink);
    sizes.push(Math.max(box.width, box.height));
    away.mass += Math.hypot(mass.x - MIDDLE, mass.y - MIDDLE);
    away.box += Math.hypot(box.left + box.width / 2 - MIDDLE, box.top + box.height / 2 - MIDDLE);
  }
  sizes.sort((a, b) => a - b);
  return { size: sizes[sizes.length >> 1] ?? 20, centre: away.mass < away.box ? 'mass' : 'box' };
}

/** Cuts the ink out, scales and places it. Nothing but ground gives null. */
export function place(ink: Ink, { size, centre }: Placement): Float32Array | null {
  const box = boundingBox(ink);
  if (!box) return null;
  const scale = size / Math.max(box.width, box.height);
  const x = MIDDLE - (box.left + box.width / 2) * scale;
  const y = MIDDLE - (box.top + box.height / 2) * scale;
  const pixels = resample(ink, scale, x, y);
  if (centre === 'box') return pixels;
  const mass = centreOfMass({ values: pixels, width: SIDE, height: SIDE });
  return resample(ink, scale, x + MIDDLE - mass.x, y + MIDDLE - mass.y);
}

/** Scales the whole sheet, margins and all. */
export function shrink(ink: Ink): Float32Array {
  const scale = SIDE / Math.max(ink.width, ink.height);
  return resample(ink, scale, (SIDE - ink.width * scale) / 2, (SIDE - ink.height * scale) / 2);
}

/**
 * A photograph or scan as ink: the ground is what its rim shows, dark or bright. rgba: bytes of an ImageData,
 * transparent is white.
 */
export function inkOfImage(rgba: ArrayLike<number>, width: number, height: number): Ink {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const alpha = rgba[4 * i + 3] / 255;
    // Rec. 601 luma, as image libraries turn to grey.
    const grey = (0.299 * rgba[4 * i] + 0.587 * rgba[4 * i + 1] + 0.114 * rgba[4 * i + 2]) / 255;
    values[i] = grey * alpha + 1 - alpha;
  }
  const ground = rim(values, width, height);
  const range = Math.max(ground, 1 - ground);
  const sign = ground > 0.5 ? -1 : 1;
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(1, Math.max(0, (sign * (values[i] - ground)) / range));
  }
  return { values, width, height };
}

/** The median along the four edges. */
function rim(values: Float32Array, width: number, height: number): number {
  const edge: number[] = [];
  for (let x = 0; x < width; x++) edge.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) edge.push(values[y * width], values[y * width + width - 1]);
  edge.sort((a, b) => a - b);
  return edge[edge.length >> 1];
}

function boundingBox({ values, width, height }: Ink): Box | null {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (values[y * width + x] <= FAINT) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function centreOfMass({ values, width, height }: Ink): { x: number; y: number } {
  let [sum, sx, sy] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x];
      sum += value;
      sx += value * (x + 0.5);
      sy += value * (y + 0.5);
    }
  }
  return sum > 0 ? { x: sx / sum, y: sy / sum } : { x: width / 2, y: height / 2 };
}

/** pixel(x, y) = mean of the ink under it, where ink (u, v) lies at (u · scale + dx, v · scale + dy). */
function resample({ values, width, height }: Ink, scale: number, dx: number, dy: number): Float32Array {
  const pixels = new Float32Array(PIXELS);
  for (let y = 0; y < SIDE; y++) {
    const [v0, v1] = [(y - dy) / scale, (y + 1 - dy) / scale];
    for (let x = 0; x < SIDE; x++) {
      const [u0, u1] = [(x - dx) / scale, (x + 1 - dx) / scale];
      let [sum, area] = [0, 0];
      for (let v = Math.floor(v0); v < v1; v++) {
        const tall = Math.min(v + 1, v1) - Math.max(v, v0);
        for (let u = Math.floor(u0); u < u1; u++) {
          const part = tall * (Math.min(u + 1, u1) - Math.max(u, u0));
          area += part;
          if (u >= 0 && u < width && v >= 0 && v < height) sum += part * values[v * width + u];
        }
      }
      pixels[y * SIDE + x] = area > 0 ? Math.min(1, sum / area) : 0;
    }
  }
  return pixels;
}
