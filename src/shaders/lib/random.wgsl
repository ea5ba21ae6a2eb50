// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a random
// number is a function of (seed, stream; element, step), so that there is no state to keep, every
// lane draws alone, and a step that is replayed, resumed or run elsewhere draws the same numbers.

fn multiply_wide(a: u32, b: u32) -> vec2u {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let low = a0 * b0;
  let mid = a1 * b0 + (low >> 16u);
  let mid2 = a0 * b1 + (mid & 0xffffu);
  return vec2u(a1 * b1 + (mid >> 16u) + (mid2 >> 16u), a * b);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let p0 = multiply_wide(0xD2511F53u, c.x);
    let p1 = multiply_wide(0xCD9E8D57u, c.z);
    c = vec4u(p1.x ^ c.y ^ k.x, p1.y, p0.x ^ c.w ^ k.y, p0.y);
    k += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

// Uniform in [0, 1): the top 24 bits.
fn random_uniform(element: u32, step: u32, seed: u32, stream: u32) -> f32 {
  return f32(philox(vec4u(element, step, 0u, 0u), vec2u(seed, stream)).x >> 8u) * 0x1p-24;
}

// Standard normal by Box and Muller; the first uniform is kept off 0. WGSL promises log near 1 to 2^-21 only,
// which may come out above 0, and the cosine between -pi and pi only: cos(t) = -cos(t - pi).
fn random_normal(element: u32, step: u32, seed: u32, stream: u32) -> f32 {
  let bits = philox(vec4u(element, step, 0u, 0u), vec2u(seed, stream)) >> vec4u(8u);
  let u = (f32(bits.x) + 0.5) * 0x1p-24;
  let turn = f32(bits.y) * 0x1p-24 - 0.5;
  return -sqrt(max(-2.0 * log(u), 0.0)) * cos(6.2831855 * turn);
}
