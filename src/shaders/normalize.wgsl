// Each row at mean 0 and mean square 1, scaled and shifted:
//   normal = (x − mean) · factor     factor = 1 / √(Σ (x − mean)² / columns + epsilon)
//   y      = normal · gamma + beta
//
// x, y, normal: [rows, columns]; gamma, beta: [columns]; factor: [rows]. Not CENTERED, the mean is taken to be 0. Whoever wants
// one output takes that one. Without COOPERATE a lane makes a row; with it a workgroup does, lane j taking every
// WORKGROUP-th column, and trees in fixed order join the lanes.
//
// Numerics: the mean first, then the squares of what is left, so that it is right far from 0; sums in blocks of 64.

const BLOCK = 64u;

override WORKGROUP: u32 = 64u;
override COOPERATE: bool = false;
override CENTERED: bool = true;

struct Params {
  rows: u32,
  columns: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read> gamma: array<f32>; // @input gamma
@group(0) @binding(3) var<storage, read> beta: array<f32>; // @input beta
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // @output y
@group(0) @binding(5) var<storage, read_write> normal: array<f32>; // @output normal
@group(0) @binding(6) var<storage, read_write> factor: array<f32>; // @output factor
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn load_gamma(i: u32) -> f32 {
  return gamma[i]; // @load gamma
}

fn load_beta(i: u32) -> f32 {
  return beta[i]; // @load beta
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_normal(i: u32, value: f32) {
  normal[i] = value; // @store normal
}

fn store_factor(i: u32, value: f32) {
  factor[i] = value; // @store factor
}

var<workgroup> sums: array<f32, WORKGROUP>;

fn sum_of_lanes(mine: f32, lane: u32) -> f32 {
  workgroupBarrier(); // the sum before this one has been read
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
  let count = f32(params.columns);

  var mean = 0.0;
  if (CENTERED) {
    var sum = 0.0;
    for (var c = first; c < params.columns; c += step * BLOCK) {
      var part = 0.0;
      for (var j = c; j < min(c + step * BLOCK, params.columns); j += step) {
        part += load_x(start + j);
      }
      sum += part;
    }
    if (COOPERATE) {
      sum = sum_of_lanes(sum, lane);
    }
    mean = sum / count;
  }
  var squares = 0.0;
  for (var c = first; c < params.columns; c += step * BLOCK) {
    var part = 0.0;
    for (var j = c; j < min(c + step * BLOCK, params.columns); j += step) {
      let away = load_x(start + j) - mean;
      part += away * away;
    }
    squares += part;
  }
  if (COOPERATE) {
    squares = sum_of_lanes(squares, lane);
  }
  let scale = inverseSqrt(squares / count + params.epsilon);

  if (inside) {
    for (var c = first; c < params.columns; c += step) {
      let value = (load_x(start + c) - mean) * scale;
      store_normal(start + c, value);
      store_y(start + c, value * load_gamma(c) + load_beta(c));
    }
    if (first == 0u) {
      store_factor(row, scale);
    }
  }
}
