// Trigonometric and hyperbolic functions and their inverses, after Cephes (Moshier, netlib.org/cephes, single
// precision): errors of a few units in the last place, where WGSL allows its own thousands. NaN is kept, numbers
// outside a function's domain give NaN. No function branches: all ways are computed, one is chosen.

const PI = 3.14159265359;
const LN2 = 0.69314718056;

fn keep_nan(y: f32, x: f32) -> f32 {
  return select(y, x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u);
}

// Infinity and NaN cannot be written as constants in WGSL.
fn float_of(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

// y with the sign of x, -0 included.
fn signed_as(y: f32, x: f32) -> f32 {
  return select(y, -y, (bitcast<u32>(x) >> 31u) == 1u);
}

// tan x for |x| < 8192: of its distance r to the nearest multiple of pi / 2, which is taken off in three parts.
fn tan_near(x: f32) -> f32 {
  let q = floor(x * 0.63661977 + 0.5);
  let r = ((x - q * 1.5703125) - q * 4.837513e-4) - q * 7.54979e-8;
  let z = r * r;
  let t = r + r * z * (0.33333156 + z * (0.13338799 + z * (0.053411281 + z * (0.024430135 + z * (0.0031199223 + z * 0.0093854018)))));
  return select(t, -1.0 / t, fract(q * 0.5) != 0.0);
}

// asin of s = sqrt(z), for z <= 1 / 4.
fn asin_series(s: f32, z: f32) -> f32 {
  return s + s * z * (0.16666752 + z * (0.07495300 + z * (0.04547003 + z * (0.02418131 + z * 0.0421632))));
}

// Beyond a half: asin a = pi / 2 - 2 asin(sqrt((1 - a) / 2)).
fn asin_of(x: f32) -> f32 {
  let a = abs(x);
  let far = a > 0.5;
  let z = select(a * a, 0.5 * (1.0 - a), far);
  let p = asin_series(select(a, sqrt(z), far), z);
  let y = signed_as(select(p, 0.5 * PI - 2.0 * p, far), x);
  return keep_nan(select(y, float_of(0x7fc00000u), a > 1.0), x);
}

fn acos_of(x: f32) -> f32 {
  let a = abs(x);
  let far = a > 0.5;
  let z = select(a * a, 0.5 * (1.0 - a), far);
  let p = asin_series(select(x, sqrt(z), far), z);
  let y = select(0.5 * PI - p, select(2.0 * p, PI - 2.0 * p, x < 0.0), far);
  return keep_nan(select(y, float_of(0x7fc00000u), a > 1.0), x);
}

// atan a = pi / 4 + atan((a - 1) / (a + 1)) = pi / 2 - atan(1 / a) bring a below tan(pi / 8).
fn atan_of(x: f32) -> f32 {
  let a = abs(x);
  let far = a > 2.4142135;
  let middle = !far & (a > 0.41421357);
  let t = select(select(a, (a - 1.0) / (a + 1.0), middle), -1.0 / a, far);
  let z = t * t;
  let p = t + t * z * (-0.33332949 + z * (0.19977711 + z * (-0.13877686 + z * 0.080537445)));
  let y = select(select(p, 0.25 * PI + p, middle), 0.5 * PI + p, far);
  return keep_nan(signed_as(y, x), x);
}

// The angle of the point (x, y), from -pi to pi.
fn atan2_of(y: f32, x: f32) -> f32 {
  let a = abs(x);
  let b = abs(y);
  let ratio = min(a, b) / max(a, b);
  let t = select(select(ratio, 1.0, a == b), 0.0, (b == 0.0) | ((a == 0.0) & (b == 0.0)));
  let first = atan_of(select(t, 0.0, (a != b) & (min(a, b) == 0.0)));
  let acute = select(first, 0.5 * PI - first, b > a);
  let upper = select(acute, PI - acute, (bitcast<u32>(x) >> 31u) == 1u);
  return keep_nan(keep_nan(signed_as(upper, y), x), y);
}

// e^a in two factors, so that it overflows no earlier than the result does.
fn sinh_of(x: f32) -> f32 {
  let a = abs(x);
  let z = x * x;
  let small = x + x * z * (0.16666667 + z * (0.0083332840 + z * 0.00020371912));
  let h = exp(0.5 * a);
  let large = signed_as((0.5 * h) * h - (0.5 / h) / h, x);
  return keep_nan(select(large, small, a < 1.0), x);
}

fn cosh_of(x: f32) -> f32 {
  let h = exp(0.5 * abs(x));
  return keep_nan((0.5 * h) * h + (0.5 / h) / h, x);
}

fn asinh_of(x: f32) -> f32 {
  let a = abs(x);
  let z = x * x;
  let small = x + x * z * (-0.16666288 + z * (0.074847586 + z * (-0.042699341 + z * 0.020122003)));
  let far = a > 1e4;
  let large = log(select(a + sqrt(z + 1.0), a, far)) + select(0.0, LN2, far);
  let y = select(signed_as(large, x), small, a < 0.5);
  return keep_nan(select(y, x, a > 3.4e38), x);
}

fn acosh_of(x: f32) -> f32 {
  let t = x - 1.0;
  let small = sqrt(t) * (1.4142135 + t * (-0.11784174 + t * (0.026454905 + t * (-0.0075272887 + t * 0.0017596881))));
  let far = x > 1e4;
  let large = log(select(x + sqrt(t * (x + 1.0)), x, far)) + select(0.0, LN2, far);
  let y = select(select(large, small, t < 0.5), x, x > 3.4e38);
  return keep_nan(select(y, float_of(0x7fc00000u), x < 1.0), x);
}

fn atanh_of(x: f32) -> f32 {
  let a = abs(x);
  let z = x * x;
  let small = x + x * z * (0.33333730 + z * (0.19978216 + z * (0.14669143 + z * (0.082437030 + z * 0.18174078))));
  let large = signed_as(0.5 * log((1.0 + a) / (1.0 - a)), x);
  let edge = select(float_of(0x7fc00000u), signed_as(float_of(0x7f800000u), x), a == 1.0);
  return keep_nan(select(select(large, small, a < 0.5), edge, a >= 1.0), x);
}
