// x mod y with the sign of y, as Python and NumPy have it: x - y floor(x / y), exactly, however large x / y is.

// The remainder of whole mantissas: |x| = a 2^p and |y| = b 2^q, and a 2^(p - q) mod b by eight bits of the power at
// a time, which 32 bits hold. The one branch is the loop, run once where |x / y| < 2^8.
fn mod_floor(x: f32, y: f32) -> f32 {
  let x_bits = bitcast<u32>(x) & 0x7fffffffu;
  let y_bits = bitcast<u32>(y) & 0x7fffffffu;
  let p = max(x_bits >> 23u, 1u);
  let q = max(y_bits >> 23u, 1u);
  let b = max((y_bits & 0x7fffffu) | select(0u, 0x800000u, y_bits >= 0x800000u), 1u);
  var r = ((x_bits & 0x7fffffu) | select(0u, 0x800000u, x_bits >= 0x800000u)) % b;
  for (var left = i32(p) - i32(q); left > 0; left -= 8) {
    r = (r << u32(min(left, 8))) % b;
  }
  // 2^(q - 150) in two factors, neither of which is too small for a float.
  let half = (i32(q) - 150) / 2;
  let scaled = f32(r) * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(i32(q) - 150 - half + 127) << 23u);
  let rest = select(scaled, abs(x), x_bits < y_bits);
  let apart = ((bitcast<u32>(x) ^ bitcast<u32>(y)) >> 31u) == 1u;
  let size = select(rest, abs(y) - rest, apart & (rest != 0.0));
  let signed = select(size, -size, (bitcast<u32>(y) >> 31u) == 1u);
  let undefined = (x_bits >= 0x7f800000u) | (y_bits > 0x7f800000u) | (y_bits == 0u);
  return select(signed, bitcast<f32>(select(0x7fc00000u, 0x7fc00000u | y_bits, y_bits > 0x7f800000u)), undefined);
}
