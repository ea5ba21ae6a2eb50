// Functions that few models call: sine, cosine, powers and the error function. As in math.wgsl, NaN and infinities are
// found by their bits and kept by select(), and no function branches.

fn of_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

// The bits of |x|: 0x7f800000 are infinity, above is NaN.
fn size_bits(x: f32) -> u32 {
  return bitcast<u32>(x) & 0x7fffffffu;
}

// |x| / 2 pi without its whole part, in units of 2^-32, for |x| < 2^31: the 24 bits of x times 64 of 1 / 2 pi,
// those that make whole turns left out. WGSL bounds no error of sin and cos beyond pi.
fn turn_of(x: f32) -> u32 {
  let bits = size_bits(x);
  let exponent = i32(bits >> 23u) - 126;
  let mantissa = ((bits & 0x7fffffu) | 0x800000u) >> u32(clamp(-exponent, 0, 31));
  let left = u32(clamp(exponent, 0, 31));
  let right = 31u - left;
  let high = (0x28u << left) | ((0xbe60db93u >> 1u) >> right);
  let low = (0xbe60db93u << left) | ((0x91054a7fu >> 1u) >> right);
  return mantissa * high + u32(f32(mantissa) * (f32(low) * 0x1p-32));
}

// The sine of a turn, given so: of its distance to the nearest quarter, by the series of sine or cosine. `x` is
// taken for that distance where it is below pi / 4.
fn sine(turn: u32, x: f32) -> f32 {
  let quarter = (turn + 0x20000000u) >> 30u;
  let y = select(f32(bitcast<i32>(turn - (quarter << 30u))) * 1.4629181e-9, x, abs(x) < 0.78);
  let y2 = y * y;
  let s = y * (1.0 + y2 * (-0.1666665 + y2 * (0.008332033 + y2 * -0.000195035695)));
  let c = 1.0 + y2 * (-0.5 + y2 * (0.041666616 + y2 * (-0.0013886614 + y2 * 0.0000243794)));
  let value = select(s, c, (quarter & 1u) == 1u);
  return select(select(value, -value, quarter >= 2u), of_bits(0x7fc00000u), size_bits(x) >= 0x7f800000u);
}

// sin x and cos x, off by less than 2e-7 up to 2^31, whatever the driver's own are worth.
fn sin_kept(x: f32) -> f32 {
  let turn = turn_of(x);
  return sine(select(turn, 0u - turn, x < 0.0), x);
}

fn cos_kept(x: f32) -> f32 {
  return sine(turn_of(x) + 0x40000000u, x);
}

// x^y as JavaScript has it: WGSL's pow is exp2(y log2 x), undefined for x < 0.
fn power(x: f32, y: f32) -> f32 {
  let whole = floor(y) == y;
  let odd = whole & (abs(y) < 16777216.0) & (fract(abs(y) * 0.5) != 0.0);
  var r = pow(abs(x), y);
  // Not left to log2(0), which is -127 on SwiftShader.
  r = select(r, select(of_bits(0x7f800000u), 0.0, y > 0.0), x == 0.0);
  r = select(r, -r, (x < 0.0) & odd);
  // As in JavaScript: a root of a negative number, and (±1)^±Infinity.
  let undefined_root = ((x < 0.0) & !whole & (size_bits(x) != 0x7f800000u)) | ((abs(x) == 1.0) & (size_bits(y) == 0x7f800000u));
  r = select(r, of_bits(0x7fc00000u), undefined_root | (size_bits(x) > 0x7f800000u) | (size_bits(y) > 0x7f800000u));
  r = select(r, x, y == 1.0);
  r = select(r, x * x, y == 2.0);
  return select(r, 1.0, y == 0.0);
}

// Gauss error function, Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7); a series near 0.
fn erf(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let tail = 1.0 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-a * a);
  let x2 = x * x;
  let series = x * (1.1283792 + x2 * (-0.37612638 + x2 * (0.11283792 + x2 * (-0.026866171 + x2 * 0.0052239776))));
  return select(select(tail, -tail, x < 0.0), series, a < 0.5);
}
