// Where the extreme is: y[o, i] = the first l at which x[o, l, i] is the largest (or the smallest).
//
// x: [outer, length, inner], length >= 1; y: [outer, inner]. Without COOPERATE one lane makes one
// output; with it a workgroup does, lane j looking at every WORKGROUP-th element, then a tree.
//
// A NaN counts as the extreme, as in NumPy: the answer is the first NaN, found by its bits.

alias Scalar = f32; // @tune

override LARGEST: bool = true;
override WORKGROUP: u32 = 64u;
override COOPERATE: bool = false;

struct Params {
  outer: u32,
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>; // @input x
@group(0) @binding(2) var<storage, read_write> y: array<i32>; // @output y
// @bindings

fn load_x(i: u32) -> Scalar {
  return x[i]; // @load x
}

fn store_y(i: u32, value: i32) {
  y[i] = value; // @store y
}

struct Candidate {
  value: Scalar,
  at: u32,
}

// Integers pass through f32 here and never look like NaN.
fn is_not_a_number(value: Scalar) -> bool {
  return (bitcast<u32>(f32(value)) & 0x7fffffffu) > 0x7f800000u;
}

// Does q beat p? Equals go by position.
fn beats(q: Candidate, p: Candidate) -> bool {
  let q_nan = is_not_a_number(q.value);
  let p_nan = is_not_a_number(p.value);
  if (q_nan || p_nan) {
    return q_nan && (!p_nan || q.at < p.at);
  }
  if (q.value == p.value) {
    return q.at < p.at;
  }
  return (q.value > p.value) == LARGEST;
}

// The best of x[offset + l · inner] over l = first, first + step, …; needs first < length.
fn best_of_every(offset: u32, first: u32, step: u32) -> Candidate {
  var best = Candidate(load_x(offset + first * params.inner), first);
  for (var l = first + step; l < params.length; l += step) {
    let next = Candidate(load_x(offset + l * params.inner), l);
    if (beats(next, best)) {
      best = next;
    }
  }
  return best;
}

var<workgroup> bests: array<Candidate, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * grid.x;
  let at = select(block * WORKGROUP + lane, block, COOPERATE);
  let inside = at < params.outer * params.inner;
  let offset = at / params.inner * params.length * params.inner + at % params.inner;

  if (COOPERATE) {
    // Lanes beyond a short axis look at its last element again.
    if (inside) {
      bests[lane] = best_of_every(offset, min(lane, params.length - 1u), WORKGROUP);
    }
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
      workgroupBarrier(); // orders the upper half's candidates before the lower half reads them
      if (lane < half && beats(bests[lane + half], bests[lane])) {
        bests[lane] = bests[lane + half];
      }
    }
    if (inside && lane == 0u) {
      store_y(at, i32(bests[0].at));
    }
  } else if (inside) {
    store_y(at, i32(best_of_every(offset, 0u, 1u).at));
  }
}
