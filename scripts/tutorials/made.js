/**
 * Made pictures: shapes on a noisy ground, and which pixel is of what. Synthetic, for lessons that want pictures nobody has
 * to fetch; figures reached on them say nothing about photographs.
 */
export const KINDS = ['ground', 'disc', 'square', 'triangle'];

/** Numbers from 0 to 1, the same for the same seed (Tommy Ettinger's mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whether (x, y), seen from a shape's middle in units of its size, lies in it. */
const inside = {
  disc: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.85,
  triangle: (x, y) => y <= 0.8 && y >= 2 * Math.abs(x) - 1,
};

/**
 * Three shapes on each of `count` grey pictures; later ones cover earlier ones.
 *
 * clean, noisy: [count, side, side] from 0 to 1; masks: [count, side, side] numbers of KINDS.
 */
export function scenes(count, { side = 32, seed = 1, noise = 0.2 } = {}) {
  const random = generator(seed);
  const pixels = side * side;
  const [clean, noisy] = [new Float32Array(count * pixels), new Float32Array(count * pixels)];
  const masks = new Uint8Array(count * pixels);
  for (let n = 0; n < count; n++) {
    const at = n * pixels;
    clean.fill(0.1 + 0.2 * random(), at, at + pixels);
    for (let shape = 0; shape < 3; shape++) {
      const kind = 1 + Math.floor(3 * random());
      const [size, light] = [side * (0.12 + 0.1 * random()), 0.5 + 0.5 * random()];
      const [left, top] = [size + (side - 2 * size) * random(), size + (side - 2 * size) * random()];
      for (let i = 0; i < pixels; i++) {
        const [x, y] = [((i % side) + 0.5 - left) / size, (Math.floor(i / side) + 0.5 - top) / size];
        if (!inside[KINDS[kind]](x, y)) continue;
        clean[at + i] = light;
        masks[at + i] = kind;
      }
    }
    for (let i = at; i < at + pixels; i++) {
      noisy[i] = Math.min(1, Math.max(0, clean[i] + noise * (random() + random() + random() - 1.5)));
    }
  }
  return { clean, noisy, masks, count, side };
}

/**
 * Coloured pictures of one shape, plain or striped: six classes, on a ground of another colour with noise.
 *
 * images: [count, 32, 32, 3] bytes; labels: the classes' numbers.
 */
export function coloured(count, { seed = 1 } = {}) {
  const side = 32;
  const random = generator(seed);
  const images = new Uint8Array(count * side * side * 3);
  const labels = new Uint8Array(count);
  const colour = () => Array.from({ length: 3 }, () => 40 + 190 * random());
  for (let n = 0; n < count; n++) {
    labels[n] = Math.floor(coloured.classNames.length * random());
    const shape = inside[KINDS[1 + (labels[n] >> 1)]];
    const striped = labels[n] % 2 === 1;
    const [ground, ink, stripe] = [colour(), colour(), colour()];
    const size = side * (0.2 + 0.12 * random());
    const [left, top] = [size + (side - 2 * size) * random(), size + (side - 2 * size) * random()];
    const [wide, turn] = [3 + 2 * random(), Math.PI * random()];
    for (let i = 0; i < side * side; i++) {
      const [x, y] = [i % side, Math.floor(i / side)];
      const within = shape((x + 0.5 - left) / size, (y + 0.5 - top) / size);
      const between = Math.sin((2 * Math.PI * (x * Math.cos(turn) + y * Math.sin(turn))) / wide) > 0;
      const painted = within ? (striped && between ? stripe : ink) : ground;
      for (let c = 0; c < 3; c++) {
        const noise = 60 * (random() + random() + random() - 1.5);
        images[(n * side * side + i) * 3 + c] = Math.min(255, Math.max(0, painted[c] + noise));
      }
    }
  }
  return { images, labels, count, height: side, width: side, channels: 3 };
}
coloured.classNames = KINDS.slice(1).flatMap((kind) => [kind, `striped ${kind}`]);
