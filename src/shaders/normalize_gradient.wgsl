// The gradient of normalize.wgsl for x, where g arrives for y and h = g · gamma:
//   dx = factor · (h − Σ h / columns − normal · Σ h · normal / columns)
//
// normal, g, dx: [rows, columns]; gamma: [columns]; factor: [rows]. Not CENTERED, the first sum is left out. Rows and lanes
// as in normalize.wgsl.

const BLOCK = 64u;

override WORKGROUP: u32 = 64u;
override COOPERATE: bool = false;
override CENTERED: bool = true;

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> normal: array<f32>; // @input normal
@group(0) @binding(2) var<storage, read> factor: array<f32>; // @input factor
@group(0) @binding(3) var<storage, read> g: array<f32>; // @input g
@group(0) @binding(4) var<storage, read> gamma: array<f32>; // @input gamma
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // @output dx
// @bindings

fn load_normal(i: u32) -> f32 {
  return normal[i]; // @load normal
}

fn load_factor(i: u32) -> f32 {
  return factor[i]; // @load factor
}

fn load_g(i: u32) -> f32 {
  return g[i]; // @load g
}

fn load_gamma(i: u32) -> f32 {
  return gamma[i]; // @load gamma
}

fn store_dx(i: u32, value: f32) {
  dx[i] = value; // @store dx
}

var<workgroup> sums: array<vec2f, WORKGROUP>;

fn sum_of_lanes(mine: vec2f, lane: u32) -> vec2f {
  sums[lane] = mine;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // orders the upper half's sums before the lower half reads them
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  workgroupBarrier(); // orders the last step before everybody reads it
  return sums[0];
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * grid.x;
  let asked = select(block * WORKGROUP + lane, block, COOPERATE);
  let inside = asked < params.rows;
  let row = min(asked, params.rows - 1u); // a lane too many repeats the last row and stores nothing
  let start = row * params.columns;
  let first = select(0u, lane, COOPERATE);
  let step = select(1u, WORKGROUP, COOPERATE);

  // Σ h, Σ h · normal
  var sum = vec2f();
  for (var c = first; c < params.columns; c += step * BLOCK) {
    var part = vec2f();
    for (var j = c; j < min(c + step * BLOCK, params.columns); j += step) {
      let h = load_g(start + j) * load_gamma(j);
      part += vec2f(h, h * load_normal(start + j));
    }
    sum += part;
  }
  if (COOPERATE) {
    sum = sum_of_lanes(sum, lane);
  }
  let mean = sum / f32(params.columns) * vec2f(select(0.0, 1.0, CENTERED), 1.0);
  let scale = load_factor(row);

  if (inside) {
    for (var c = first; c < params.columns; c += step) {
      let h = load_g(start + c) * load_gamma(c);
      store_dx(start + c, scale * (h - mean.x - load_normal(start + c) * mean.y));
    }
  }
}
