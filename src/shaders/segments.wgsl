// Sums of rows that go to the same place: y[r, i] = Σ values[order[k], i] over the k with target[k] = r.
//
// target: [count], sorted; order: [count], the row of `values` that goes there; values: [count, inner];
// y: [rows, inner]. One lane makes one number: it finds the first k by a binary search and adds up in order, in blocks
// of 64, so the bits are the same on every run. A target beyond the rows goes nowhere.

alias Scalar = f32; // @tune

override WORKGROUP: u32 = 64u;

struct Params {
  count: u32,
  rows: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> targets: array<i32>; // @input targets
@group(0) @binding(2) var<storage, read> order: array<i32>; // @input order
@group(0) @binding(3) var<storage, read> values: array<Scalar>; // @input values
@group(0) @binding(4) var<storage, read_write> y: array<Scalar>; // @output y
// @bindings

fn load_targets(i: u32) -> i32 {
  return targets[i]; // @load targets
}

fn load_order(i: u32) -> i32 {
  return order[i]; // @load order
}

fn load_values(i: u32) -> Scalar {
  return values[i]; // @load values
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
  if (at >= params.rows * params.inner) {
    return;
  }
  let row = i32(at / params.inner);
  let i = at % params.inner;
  var low = 0u;
  var high = params.count;
  while (low < high) {
    let probe = (low + high) / 2u;
    let before = load_targets(probe) < row;
    low = select(low, probe + 1u, before);
    high = select(probe, high, before);
  }
  var total = Scalar(0);
  var block = Scalar(0);
  var added = 0u;
  for (var k = low; k < params.count; k++) {
    if (load_targets(k) != row) {
      break;
    }
    block += load_values(u32(load_order(k)) * params.inner + i);
    added++;
    if (added % 64u == 0u) {
      total += block;
      block = Scalar(0);
    }
  }
  store_y(at, total + block);
}
