// Reduction over one axis: y[o, p, i] = ⊕ x[o, l, i] over l = p, p + parts, p + 2·parts, … < length.
//
// x: [outer, length, inner], y: [outer, parts, inner]; ⊕ is +, ×, max or min. With parts = 1 it is the
// whole reduction, otherwise its first stage. Without COOPERATE one lane makes one output; with it a
// workgroup does, lane j taking every WORKGROUP-th element, then a tree over the lanes in fixed order.
//
// Numerics: blocks of 64 summed on their own, so that a sum of n terms carries about √n/8 roundings
// less than a plain loop. max and min keep NaN: it is found by its bits, because compilers may assume
// that there is none.

alias Scalar = f32; // @tune

const SUM = 0u;
const PROD = 1u;
const MAX = 2u;
const MIN = 3u;
const BLOCK = 64u;

override KIND: u32 = 0u;
override WORKGROUP: u32 = 64u;
override COOPERATE: bool = false;

struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>; // @input x
@group(0) @binding(2) var<storage, read_write> y: array<Scalar>; // @output y
// @bindings

fn load_x(i: u32) -> Scalar {
  return x[i]; // @load x
}

fn store_y(i: u32, value: Scalar) {
  y[i] = value; // @store y
}

// Integers pass through f32 here and never look like NaN.
fn is_not_a_number(value: Scalar) -> bool {
  return (bitcast<u32>(f32(value)) & 0x7fffffffu) > 0x7f800000u;
}

fn combine(p: Scalar, q: Scalar) -> Scalar {
  if (KIND == SUM) {
    return p + q;
  }
  if (KIND == PROD) {
    return p * q;
  }
  let better = select((q < p), (q > p), KIND == MAX);
  return select(p, q, is_not_a_number(q) || (better && !is_not_a_number(p)));
}

// ⊕ of x[offset + l · inner] over l = first, first + step, …; max and min need first < length.
fn reduce_every(offset: u32, first: u32, step: u32) -> Scalar {
  var total = Scalar(select(0u, 1u, KIND == PROD));
  if (KIND == MAX || KIND == MIN) {
    total = load_x(offset + first * params.inner);
  }
  var l = first;
  while (l < params.length) {
    var block = load_x(offset + l * params.inner);
    l += step;
    for (var j = 1u; j < BLOCK && l < params.length; j++) {
      block = combine(block, load_x(offset + l * params.inner));
      l += step;
    }
    total = combine(total, block);
  }
  return total;
}

var<workgroup> totals: array<Scalar, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * grid.x;
  let at = select(block * WORKGROUP + lane, block, COOPERATE);
  let inside = at < params.outer * params.parts * params.inner;
  let o = at / (params.parts * params.inner);
  let part = at / params.inner % params.parts;
  let offset = o * params.length * params.inner + at % params.inner;

  var total = Scalar(0);
  if (COOPERATE) {
    // Lanes beyond a short axis repeat its last element, which max and min do not mind.
    let first = select(lane, min(lane, params.length - 1u), KIND == MAX || KIND == MIN);
    if (inside) {
      total = reduce_every(offset, first, WORKGROUP);
    }
    totals[lane] = total;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
      workgroupBarrier(); // orders the upper half's totals before the lower half reads them
      if (lane < half) {
        totals[lane] = combine(totals[lane], totals[lane + half]);
      }
    }
    total = totals[0];
    if (inside && lane == 0u) {
      store_y(at, total);
    }
  } else if (inside) {
    store_y(at, reduce_every(offset, part, params.parts));
  }
}
