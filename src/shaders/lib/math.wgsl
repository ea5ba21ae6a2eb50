// Scalar functions that keep the meaning of NaN and infinity, and stay accurate where the plain
// formula would overflow or cancel. WGSL lets a compiler assume that there is no NaN (max, clamp and
// x != x are all wrong on llvmpipe), so NaN is found by its bits and kept by select().

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_infinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

fn max_nan(x: f32, y: f32) -> f32 {
  return select(select(y, x, x > y), x + y, is_nan(x) || is_nan(y));
}

fn min_nan(x: f32, y: f32) -> f32 {
  return select(select(y, x, x < y), x + y, is_nan(x) || is_nan(y));
}

// A float with these bits. Infinity and NaN cannot be written as constants in WGSL.
fn from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

// e^x that keeps NaN (SwiftShader makes it Infinity).
fn exp_kept(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}

// log x with IEEE's special values: NaN below 0, -Infinity at 0, Infinity and NaN kept (SwiftShader
// takes the logarithm of |x| and -88 at 0).
fn log_kept(x: f32) -> f32 {
  let special = select(from_bits(0x7fc00000u), from_bits(0xff800000u), x == 0.0);
  return select(select(log(x), special, x <= 0.0), x, is_nan(x) || (is_infinite(x) && x > 0.0));
}

// 1 / (1 + e^-x), by the sign of x, so that e^ never overflows.
fn sigmoid(x: f32) -> f32 {
  let e = exp_kept(-abs(x));
  let s = 1.0 / (1.0 + e);
  return select(s, e * s, x < 0.0);
}

// log(1 + x) for 0 <= x <= 1: the correction term restores what rounding 1 + x lost (Kahan).
fn log1p_unit(x: f32) -> f32 {
  let u = 1.0 + x;
  return log_kept(u) + (x - (u - 1.0)) / u;
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
fn softplus(x: f32) -> f32 {
  return select(x, 0.0, x < 0.0) + log1p_unit(exp_kept(-abs(x)));
}

// e^x - 1; a Taylor polynomial near 0, where the difference would cancel.
fn expm1(x: f32) -> f32 {
  let small = x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * 0.0013888889)))));
  return select(exp_kept(x) - 1.0, small, abs(x) < 0.5);
}

// Some drivers compute tanh from e^2x, which is Inf / Inf for large x.
fn tanh_safe(x: f32) -> f32 {
  return select(tanh(x), sign(x), abs(x) > 15.0);
}

// x^y as JavaScript has it: WGSL's pow is exp2(y log2 x), undefined for x < 0.
fn power(x: f32, y: f32) -> f32 {
  let whole = floor(y) == y;
  let odd = whole && abs(y) < 16777216.0 && fract(abs(y) * 0.5) != 0.0;
  var r = pow(abs(x), y);
  // Not left to log2(0), which is -127 on SwiftShader.
  r = select(r, select(from_bits(0x7f800000u), 0.0, y > 0.0), x == 0.0);
  r = select(r, -r, x < 0.0 && odd);
  // As in JavaScript: a root of a negative number, and (±1)^±Infinity.
  let undefined_root = (x < 0.0 && !whole && !is_infinite(x)) || (abs(x) == 1.0 && is_infinite(y));
  r = select(r, from_bits(0x7fc00000u), undefined_root || is_nan(x) || is_nan(y));
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

// Division and remainder that round toward minus infinity (WGSL's integer / truncates). x / 0 = 0 here.
fn floor_div_i32(x: i32, y: i32) -> i32 {
  let d = select(y, 1, y == 0);
  let q = x / d;
  return select(select(q, q - 1, (x % d != 0) && ((x < 0) != (d < 0))), 0, y == 0);
}
