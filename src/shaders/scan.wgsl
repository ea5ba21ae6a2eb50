// Running sums or products of blocks of one axis: y[o, s, i] = x[o, first, i] ⊕ … ⊕ x[o, s, i], where first is the
// beginning of the block of `block` steps that s lies in; with EXCLUSIVE without x[o, s, i] itself.
//
// x, y: [outer, length, inner]; ⊕ is +, or × with PRODUCT. With REVERSE steps count from the end of the axis. One lane
// walks one block, one element after the other, so the bits are the same on every run; ops/scan.ts joins blocks.

alias Scalar = f32; // @tune

override PRODUCT: bool = false;
override EXCLUSIVE: bool = false;
override REVERSE: bool = false;
override WORKGROUP: u32 = 64u;

struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  block: u32,
  blocks: u32, // of one line
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

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * WORKGROUP + lane;
  if (at >= params.outer * params.blocks * params.inner) {
    return;
  }
  let o = at / (params.blocks * params.inner);
  let first = at / params.inner % params.blocks * params.block;
  let end = min(first + params.block, params.length);
  let line = o * params.length * params.inner + at % params.inner;

  var total = Scalar(select(0u, 1u, PRODUCT));
  for (var s = first; s < end; s++) {
    let i = line + select(s, params.length - 1u - s, REVERSE) * params.inner;
    let next = load_x(i);
    let after = select(total + next, total * next, PRODUCT);
    store_y(i, select(after, total, EXCLUSIVE));
    total = after;
  }
}
