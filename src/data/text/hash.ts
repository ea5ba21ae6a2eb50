/**
 * Hashes of bytes, 64 bits, as TensorFlow's `to_hash_bucket_fast` (FarmHash, `Fingerprint64`) and `to_hash_bucket_strong`
 * (SipHash-2-4) have them, so that a word falls into the same bin here and in Keras.
 */

const MASK = (1n << 64n) - 1n;
const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const wrap = (x: bigint): bigint => x & MASK;
const right = (x: bigint, by: bigint): bigint => (by === 0n ? x : wrap((x >> by) | (x << (64n - by))));
const left = (x: bigint, by: bigint): bigint => right(x, 64n - by);
const mix = (x: bigint): bigint => x ^ (x >> 47n);

/** Of 16 bytes. */
function ofPair(u: bigint, v: bigint, mul: bigint): bigint {
  const a = mix(wrap((u ^ v) * mul));
  return wrap(mix(wrap((v ^ a) * mul)) * mul);
}

/** Of 32 bytes from `at`, with two seeds. */
function weak(get: (at: number) => bigint, at: number, first: bigint, second: bigint): [bigint, bigint] {
  const [w, x, y, z] = [get(at), get(at + 8), get(at + 16), get(at + 24)];
  let a = wrap(first + w);
  let b = right(wrap(second + a + z), 21n);
  const c = a;
  a = wrap(a + x + y);
  b = wrap(b + right(a, 44n));
  return [wrap(a + z), wrap(b + c)];
}

/** FarmHash's Fingerprint64. */
export function fingerprint64(bytes: Uint8Array): bigint {
  const length = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const get = (at: number): bigint => view.getBigUint64(at, true);
  const mul = wrap(K2 + 2n * BigInt(length));
  if (length === 0) return K2;
  if (length < 4) {
    const y = BigInt(bytes[0] + (bytes[length >> 1] << 8));
    const z = BigInt(length + (bytes[length - 1] << 2));
    return wrap(mix(wrap(y * K2) ^ wrap(z * K0)) * K2);
  }
  if (length < 8) {
    const [first, last] = [view.getUint32(0, true), view.getUint32(length - 4, true)];
    return ofPair(BigInt(length) + (BigInt(first) << 3n), BigInt(last), mul);
  }
  if (length <= 16) {
    const a = wrap(get(0) + K2);
    const b = get(length - 8);
    return ofPair(wrap(right(b, 37n) * mul + a), wrap((right(a, 25n) + b) * mul), mul);
  }
  if (length <= 64) {
    const a = wrap(get(0) * (length <= 32 ? K1 : K2));
    const b = get(8);
    const c = wrap(get(length - 8) * mul);
    const d = wrap(get(length - 16) * K2);
    const y = wrap(right(wrap(a + b), 43n) + right(c, 30n) + d);
    const z = wrap(a + right(wrap(b + K2), 18n) + c);
    if (length <= 32) return ofPair(y, z, mul);
    const e = wrap(get(16) * mul);
    const f = get(24);
    const g = wrap((y + get(length - 32)) * mul);
    const h = wrap((ofPair(y, z, mul) + get(length - 24)) * mul);
    return ofPair(
      wrap(right(wrap(e + f), 43n) + right(g, 30n) + h),
      wrap(e + right(wrap(f + a), 18n) + g),
      mul,
    );
  }
  return ofMany(get, length);
}

/** Of more than 64 bytes: blocks of 64, and the last 64 once more. */
function ofMany(get: (at: number) => bigint, length: number): bigint {
  let x = wrap(81n * K2 + get(0));
  let y = wrap(81n * K1 + 113n);
  let z = wrap(mix(wrap(y * K2 + 113n)) * K2);
  let v: [bigint, bigint] = [0n, 0n];
  let w: [bigint, bigint] = [0n, 0n];
  const block = (at: number, mul: bigint, nine: bigint): void => {
    x = wrap(right(wrap(x + y + v[0] + get(at + 8)), 37n) * mul);
    y = wrap(right(wrap(y + v[1] + get(at + 48)), 42n) * mul);
    x ^= wrap(w[1] * nine);
    y = wrap(y + v[0] * nine + get(at + 40));
    z = wrap(right(wrap(z + w[0]), 33n) * mul);
    v = weak(get, at, wrap(v[1] * mul), wrap(x + w[0]));
    w = weak(get, at + 32, wrap(z + w[1]), wrap(y + get(at + 16)));
    [x, z] = [z, x];
  };
  const end = 64 * Math.floor((length - 1) / 64);
  for (let at = 0; at < end; at += 64) block(at, K1, 1n);
  const mul = wrap(K1 + ((z & 0xffn) << 1n));
  w[0] = wrap(w[0] + BigInt((length - 1) & 63));
  v[0] = wrap(v[0] + w[0]);
  w[0] = wrap(w[0] + v[0]);
  block(end + ((length - 1) & 63) - 63, mul, 9n);
  return ofPair(wrap(ofPair(v[0], w[0], mul) + mix(y) * K0 + z), wrap(ofPair(v[1], w[1], mul) + x), mul);
}

/** SipHash-2-4 (Aumasson and Bernstein 2012) with a key of two words. */
export function sipHash(bytes: Uint8Array, [k0, k1]: readonly [bigint, bigint]): bigint {
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const round = (): void => {
    v0 = wrap(v0 + v1);
    v1 = left(v1, 13n) ^ v0;
    v0 = left(v0, 32n);
    v2 = wrap(v2 + v3);
    v3 = left(v3, 16n) ^ v2;
    v0 = wrap(v0 + v3);
    v3 = left(v3, 21n) ^ v0;
    v2 = wrap(v2 + v1);
    v1 = left(v1, 17n) ^ v2;
    v2 = left(v2, 32n);
  };
  const whole = bytes.length - (bytes.length % 8);
  const padded = new Uint8Array(whole + 8);
  padded.set(bytes);
  padded[whole + 7] = bytes.length & 0xff;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

const utf8 = new TextEncoder();

/** The bin, from 0 to bins − 1, that text falls into; with `salt`, a pair of whole numbers, another one. */
export function binOf(text: string, bins: number, salt: readonly [number, number] | null = null): number {
  const bytes = utf8.encode(text);
  const hash = salt ? sipHash(bytes, [wrap(BigInt(salt[0])), wrap(BigInt(salt[1]))]) : fingerprint64(bytes);
  return Number(hash % BigInt(bins));
}
