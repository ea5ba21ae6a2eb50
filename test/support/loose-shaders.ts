/**
 * The least exact device that WGSL allows, made of whatever device there is: built-in functions whose accuracy
 * the specification leaves open are replaced by ones that are off by all that it permits ("Accuracy of concrete
 * floating point built-in functions"), this way or that by a hash of the argument.
 */

/** Relative to y a unit in the last place is at most 2^-23. */
const LIBRARY = `
fn loose_by(ulps: f32, x: f32) -> f32 {
  return 1.0 + select(-0x1p-23, 0x1p-23, (bitcast<u32>(x) & 64u) == 0u) * ulps;
}
fn loose_exp(x: f32) -> f32 { return exp(x) * loose_by(3.0 + 2.0 * min(abs(x), 100.0), x); }
fn loose_log(x: f32) -> f32 {
  let inside = x >= 0.5 && x <= 2.0;
  return select(log(x) * loose_by(3.0, x), log(x) + 4.0 * (loose_by(1.0, x) - 1.0), inside);
}
fn loose_pow(x: f32, y: f32) -> f32 {
  let z = y * loose_log(x) * 1.442695;
  return exp2(z) * loose_by(3.0 + 2.0 * min(abs(z), 100.0), z);
}
fn loose_inverseSqrt(x: f32) -> f32 { return inverseSqrt(x) * loose_by(2.0, x); }
fn loose_sqrt(x: f32) -> f32 { return sqrt(x) * loose_by(4.5, x); }
fn loose_tanh(x: f32) -> f32 { return tanh(x) + 84.0 * (loose_by(1.0, x) - 1.0); }
// 2^-11 within half a turn; beyond it no promise, then anything.
fn loose_sin(x: f32) -> f32 { return select(sin(x) + 4096.0 * (loose_by(1.0, x) - 1.0), 0.0, abs(x) > 3.1415927); }
fn loose_cos(x: f32) -> f32 { return select(cos(x) + 4096.0 * (loose_by(1.0, x) - 1.0), 0.0, abs(x) > 3.1415927); }
// x / y is off by 2.5 ULP, as if y were.
fn loose_divisor(y: f32) -> f32 { return y * loose_by(2.5, y); }
`;

const FUNCTIONS = /\b(exp|log|pow|inverseSqrt|sqrt|tanh|sin|cos)\(/g;

/** Divisors of divisions of f32 in our kernels; indices are divided by uniforms and constants. */
const DIVISORS = /\/ (v\d+|u|sum\.x|\((?:[12]\.0|[^()]*abs)[^()]*(?:\([^()]*\))?\))(?=[;,) ])/g;

/** A shader's text as the least exact device would run it. */
export function loosened(code: string): string {
  const text = code.replace(FUNCTIONS, 'loose_$1(').replace(DIVISORS, '/ loose_divisor($1)');
  // `enable` comes first in a module, functions anywhere.
  return text === code ? code : `${text}\n${LIBRARY}`;
}

/** Makes the device compile the text that `change` makes of each shader. */
export function rewriteShaders(device: GPUDevice, change: (code: string) => string): void {
  const original = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => original({ ...descriptor, code: change(descriptor.code) });
}
