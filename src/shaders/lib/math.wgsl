// Scalar functions that keep the meaning of NaN and infinity, and stay accurate where the plain
// formula would overflow or cancel. WGSL lets a compiler assume that there is no NaN (max, clamp and
// x != x are all wrong on llvmpipe), so NaN is found by its bits and kept by select().
//
// No function branches: not by if, and not by && and ||, which do. Kernels repeat them for each of four
// neighbours, and SwiftShader's time to compile doubles with every branch.

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_infinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

fn max_nan(x: f32, y: f32) -> f32 {
  return select(select(y, x, x > y), from_bits(0x7fc00000u), is_nan(x) | is_nan(y));
}

fn min_nan(x: f32, y: f32) -> f32 {
  return select(select(y, x, x < y), from_bits(0x7fc00000u), is_nan(x) | is_nan(y));
}

// A float with these bits. Infinity and NaN cannot be written as constants in WGSL.
fn from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

// x, unknown to the compiler, for zero = 0. Mesa takes x - x for 0 and (x + y) - x for y, also where x is infinite.
fn opaque(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

// e^x that keeps NaN (SwiftShader makes it Infinity).
fn exp_kept(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}

// log x with IEEE's special values: NaN below 0, -Infinity at 0, Infinity and NaN kept (SwiftShader
// takes the logarithm of |x| and -88 at 0).
fn log_kept(x: f32) -> f32 {
  let special = select(from_bits(0x7fc00000u), from_bits(0xff800000u), x == 0.0);
  return select(select(log(x), special, x <= 0.0), x, is_nan(x) | (is_infinite(x) & (x > 0.0)));
}

// 1 / (1 + e^-x), by the sign of x, so that e^ never overflows.
fn sigmoid(x: f32) -> f32 {
  let e = exp_kept(-abs(x));
  let s = 1.0 / (1.0 + e);
  return select(s, e * s, x < 0.0);
}

// log(1 + x) for -0.5 <= x <= 1, as 2 artanh(x / (2 + x)) by its series: what restores a rounding of 1 + x
// (Kahan) is folded away by drivers, which take (1 + x) - 1 for x.
fn log1p_unit(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let s2 = s * s;
  return 2.0 * s * (1.0 + s2 * (0.33333340 + s2 * (0.19999356 + s2 * (0.14310104 + s2 * (0.1069928 + s2 * 0.12196954)))));
}

// log(1 + x).
fn log1p(x: f32) -> f32 {
  return select(log_kept(1.0 + x), log1p_unit(x), abs(x - 0.25) <= 0.75);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
fn softplus(x: f32) -> f32 {
  return select(x, 0.0, x < 0.0) + log1p_unit(exp_kept(-abs(x)));
}

// e^x - 1; a polynomial near 0, where the difference would cancel.
fn expm1(x: f32) -> f32 {
  let small = x * (1.0 + x * (0.50000004 + x * (0.16666667 + x * (0.041665304 + x * (0.008333182 + x * (0.0013997773 + x * 0.00019962176))))));
  return select(exp_kept(x) - 1.0, small, abs(x) < 0.5);
}

// Some drivers compute tanh from e^2x, which is Inf / Inf for large x and cancels near 0.
fn tanh_safe(x: f32) -> f32 {
  let x2 = x * x;
  let small = x * (1.0 + x2 * (-0.33333285 + x2 * (0.13330893 + x2 * (-0.05353469 + x2 * 0.01866756))));
  return select(select(tanh(x), sign(x), abs(x) > 15.0), small, abs(x) < 0.4);
}

// Division and remainder that round toward minus infinity (WGSL's integer / truncates). x / 0 = 0 here.
fn floor_div_i32(x: i32, y: i32) -> i32 {
  let d = select(y, 1, y == 0);
  let q = x / d;
  return select(select(q, q - 1, (x % d != 0) & ((x < 0) != (d < 0))), 0, y == 0);
}
