/** A short fingerprint of a text, for names and cache keys: no secret is safe behind it. */

/** 64-bit FNV-1a over UTF-16 units, as 16 hexadecimal digits (http://www.isthe.com/chongo/tech/comp/fnv). */
export function hash(text: string): string {
  // The prime is 2⁴⁰ + 0x1b3; the number lies in two halves, the product is made of what stays below 2⁶⁴.
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
