// y[o, r, i] = Σ x[o, j, i] over every j with indices[j] = r: what gathered rows give back to their source.
//
// x: [outer, count, inner], indices: [count], y: [outer, length, inner]. A lane makes COLUMNS neighbours of one row
// of y: it goes through the indices and adds up the rows that are its own, so that nobody else writes there. No other
// row is touched, as a product with zeros would: an infinite or undefined row stays where it belongs.
//
// Numerics: rows are added in their order, blocks of 64 on their own.

const COLUMNS = 4u; // @tune
const BLOCK = 64u;

override WORKGROUP: u32 = 64u;

struct Params {
  outer: u32,
  count: u32,
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read> indices: array<i32>; // @input indices
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // @output y
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn load_indices(i: u32) -> i32 {
  return indices[i]; // @load indices
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

// The first j from here on with indices[j] = own. A loop of its own: software drivers go through the body of a
// branch that nobody takes.
fn next(start: u32, own: i32) -> u32 {
  var j = start;
  while (j < params.count) {
    if (load_indices(j) == own) {
      break;
    }
    j++;
  }
  return j;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * WORKGROUP + lane;
  let blocks = (params.inner + COLUMNS - 1u) / COLUMNS;
  let column = at % blocks * COLUMNS;
  let row = at / blocks; // o · length + r
  if (row >= params.outer * params.length) {
    return;
  }
  let own = i32(row % params.length);
  let first = row / params.length * params.count * params.inner;

  var total: array<f32, COLUMNS>;
  var part: array<f32, COLUMNS>;
  var found = 0u;
  for (var j = next(0u, own); j < params.count; j = next(j + 1u, own)) {
    let start = first + j * params.inner;
    for (var k = 0u; k < COLUMNS; k++) { // @unroll
      part[k] += load_x(start + min(column + k, params.inner - 1u));
    }
    found++;
    if (found % BLOCK == 0u) {
      for (var k = 0u; k < COLUMNS; k++) { // @unroll
        total[k] += part[k];
        part[k] = 0.0;
      }
    }
  }
  for (var k = 0u; k < COLUMNS; k++) { // @unroll
    if (column + k < params.inner) {
      store_y(row * params.inner + column + k, total[k] + part[k]);
    }
  }
}
