/**
 * Makes screenshots small: 256 colours chosen by median cut, one byte a pixel.
 * Paul Heckbert, "Color Image Quantization for Frame Buffer Display", 1982; the format: PNG, third edition.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** An 8-bit RGB file, as Playwright writes them, with at most 256 colours. */
export function smallPng(file) {
  const { width, height, rgb } = decode(file);
  const counts = new Map();
  for (let i = 0; i < rgb.length; i += 3) {
    const colour = rgb.readUIntBE(i, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const boxes = medianCut(
    [...counts].map(([colour, count]) => ({
      parts: [colour >> 16, (colour >> 8) & 255, colour & 255],
      count,
    })),
  );
  const palette = Buffer.from(boxes.flatMap(mean));
  const index = new Map();
  for (const [i, box] of boxes.entries()) {
    for (const { parts } of box) index.set((parts[0] << 16) | (parts[1] << 8) | parts[2], i);
  }
  // Filter 0 before each row: neighbouring indices have nothing in common.
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows[y * (width + 1) + 1 + x] = index.get(rgb.readUIntBE(3 * (y * width + x), 3));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const parts = [
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...parts]);
}

/** Splits the box that errs most at the median of its longest side until there are 256. */
function medianCut(colours) {
  const boxes = [colours];
  while (boxes.length < 256) {
    const at = boxes.reduce((worst, box, i) => (spread(box) > spread(boxes[worst]) ? i : worst), 0);
    const box = boxes[at];
    if (box.length < 2) break;
    const { side } = longestSide(box);
    box.sort((a, b) => a.parts[side] - b.parts[side]);
    // Square roots: a flat ground of a million pixels must not use up all colours near to it.
    const half = box.reduce((sum, { count }) => sum + Math.sqrt(count), 0) / 2;
    let end = 0;
    for (let sum = 0; end < box.length - 1 && sum < half; end++) sum += Math.sqrt(box[end].count);
    const cut = Math.max(1, end);
    boxes.splice(at, 1, box.slice(0, cut), box.slice(cut));
  }
  return boxes;
}

const spreads = new WeakMap();

function spread(box) {
  let found = spreads.get(box);
  if (found === undefined) {
    const weight = box.reduce((sum, { count }) => sum + Math.sqrt(count), 0);
    found = box.length < 2 ? 0 : longestSide(box).length * weight;
    spreads.set(box, found);
  }
  return found;
}

function longestSide(box) {
  const low = [255, 255, 255];
  const high = [0, 0, 0];
  for (const { parts } of box) {
    for (let i = 0; i < 3; i++) {
      if (parts[i] < low[i]) low[i] = parts[i];
      if (parts[i] > high[i]) high[i] = parts[i];
    }
  }
  const lengths = high.map((value, i) => value - low[i]);
  const length = Math.max(...lengths);
  return { side: lengths.indexOf(length), length };
}

function mean(box) {
  const total = box.reduce((sum, { count }) => sum + count, 0);
  return [0, 1, 2].map((i) =>
    Math.round(box.reduce((sum, { parts, count }) => sum + parts[i] * count, 0) / total),
  );
}

function decode(file) {
  let [width, height] = [0, 0];
  const data = [];
  for (let at = SIGNATURE.length; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const name = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (name === 'IHDR') {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      if (body[8] !== 8 || body[9] !== 2) throw new Error('smallPng: expected 8-bit RGB.');
    }
    if (name === 'IDAT') data.push(body);
    at += length + 12;
  }
  return { width, height, rgb: unfilter(inflateSync(Buffer.concat(data)), 3 * width, height) };
}

/** Each byte of a row was stored as its difference from a guess (PNG, 9.2); 3 bytes a pixel. */
function unfilter(rows, stride, height) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const to = y * stride + i;
      const left = i >= 3 ? out[to - 3] : 0;
      const up = y > 0 ? out[to - stride] : 0;
      const corner = i >= 3 && y > 0 ? out[to - stride - 3] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[to] = rows[y * (stride + 1) + 1 + i] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(name, body) {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, 'latin1');
  body.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8);
  return out;
}
