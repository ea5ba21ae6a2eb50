// Convolution as a matrix product whose left operand is never written down: y[z, m, n] = Σₖ a(z, m, k) · b(z, k, n)
// with a(z, m, k) = x[sample, place · scale + tap · dilation + shift, z · channels + c], and 0 where that lies outside x.
//
// x: [samples, size_0, size_1, size_2, …], read through `load a`. Its rows and columns are places (sample, p_0, p_1, p_2) and
// taps with a channel (t_0, t_1, t_2, c); the last varies fastest. z counts groups of channels. Three products:
//
// - forward: m is a place, k a tap with a channel; b are the filters.
// - GATHER, the gradient of the input: m is a place in the input, k a tap with a channel of what arrives, which lies
//   at (place + shift − tap · dilation) / scale, where that is whole; b are the filters with channels swapped.
// - FILTER, the gradient of the filters: m is a tap with a channel, k a place; b is what arrives. On the way
//   col_sum[z, n] = Σₖ b[z, k, n], the gradient of the bias. Long sums come in slices of k, to be summed afterwards.
//
// Each lane keeps TILE_M x 4·TILE_N sums in registers, as in matmul.wgsl. What a row and a step of k say about the
// place in x are two parts that are added; they are worked out once a row and once a run of steps.
//
// Numerics: one running sum per output, in order of k.

const TILE_M = 8u; // @tune
const TILE_N = 1u; // @tune
const LANES_M = 1u; // @tune
const LANES_N = 8u; // @tune
const AXES = 2u; // @tune
const GATHER = false; // @tune
const FILTER = false; // @tune
const INSIDE = false; // @tune

const TILE_COLUMNS = 4u * TILE_N;
const_assert AXES >= 1u && AXES <= 3u && !(GATHER && FILTER);

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,
  groups: u32,
  slices: u32, // of k, per group
  slice: u32, // length of one
  channels: u32, // of x in one group
  size_0: u32, // of x; axes that are not there have size 1
  size_1: u32,
  size_2: u32,
  stride_0: u32, // of x, in elements
  stride_1: u32,
  stride_2: u32,
  stride_sample: u32,
  places_0: u32,
  places_1: u32,
  places_2: u32,
  taps_0: u32,
  taps_1: u32,
  taps_2: u32,
  scale_0: u32,
  scale_1: u32,
  scale_2: u32,
  dilation_0: u32,
  dilation_1: u32,
  dilation_2: u32,
  shift_0: u32, // below zero it wraps
  shift_1: u32,
  shift_2: u32,
  b_group: u32,
  b_outer: u32, // from one run of steps of k to the next
  b_inner: u32, // from one step to the next
  b_column: u32,
  y_group: u32,
  y_row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // @input a
@group(0) @binding(2) var<storage, read> b: array<f32>; // @input b
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // @output y
@group(0) @binding(4) var<storage, read_write> col_sum: array<f32>; // @output col_sum
// @bindings

fn load_a(i: u32) -> f32 {
  return a[i]; // @load a
}

fn load_b(i: u32) -> f32 {
  return b[i]; // @load b
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_col_sum(i: u32, value: f32) {
  col_sum[i] = value; // @store col_sum
}

// What a place, or a tap with a channel, adds to the position in x: to the index and to each coordinate. With GATHER
// the rests of two parts must be equal, or they meet between two elements. Numbers below zero wrap.
struct Part {
  index: u32,
  at_0: u32,
  at_1: u32,
  at_2: u32,
  rest_0: u32,
  rest_1: u32,
  rest_2: u32,
}

// One axis of a place: the coordinate, and the rest.
fn place_on(p: u32, scale: u32, shift: u32) -> vec2u {
  if (GATHER) {
    return vec2u((p + shift) / scale, (p + shift) % scale);
  }
  return vec2u(p * scale + shift, 0u);
}

fn tap_on(t: u32, scale: u32, dilation: u32) -> vec2u {
  if (GATHER) {
    return vec2u(0u - t * dilation / scale, t * dilation % scale);
  }
  return vec2u(t * dilation, 0u);
}

fn place(m: u32) -> Part {
  var part: Part;
  var rest = m;
  let on_2 = place_on(rest % params.places_2, params.scale_2, params.shift_2);
  rest /= params.places_2;
  part.at_2 = on_2.x;
  part.rest_2 = on_2.y;
  part.index = on_2.x * params.stride_2;
  if (AXES > 1u) {
    let on_1 = place_on(rest % params.places_1, params.scale_1, params.shift_1);
    rest /= params.places_1;
    part.at_1 = on_1.x;
    part.rest_1 = on_1.y;
    part.index += on_1.x * params.stride_1;
  }
  if (AXES > 2u) {
    let on_0 = place_on(rest % params.places_0, params.scale_0, params.shift_0);
    rest /= params.places_0;
    part.at_0 = on_0.x;
    part.rest_0 = on_0.y;
    part.index += on_0.x * params.stride_0;
  }
  part.index += rest * params.stride_sample;
  return part;
}

fn tap(k: u32) -> Part {
  var part: Part;
  var rest = k / params.channels;
  let on_2 = tap_on(rest % params.taps_2, params.scale_2, params.dilation_2);
  part.at_2 = on_2.x;
  part.rest_2 = on_2.y;
  part.index = k % params.channels + on_2.x * params.stride_2;
  if (AXES > 1u) {
    rest /= params.taps_2;
    let on_1 = tap_on(rest % params.taps_1, params.scale_1, params.dilation_1);
    part.at_1 = on_1.x;
    part.rest_1 = on_1.y;
    part.index += on_1.x * params.stride_1;
  }
  if (AXES > 2u) {
    rest /= params.taps_1;
    let on_0 = tap_on(rest, params.scale_0, params.dilation_0);
    part.at_0 = on_0.x;
    part.rest_0 = on_0.y;
    part.index += on_0.x * params.stride_0;
  }
  return part;
}

fn row_part(m: u32) -> Part {
  if (FILTER) {
    return tap(m);
  }
  return place(m);
}

fn step_part(k: u32) -> Part {
  if (FILTER) {
    return place(k);
  }
  return tap(k);
}

// Steps side by side: channels of one tap, or places along the last axis.
fn run_length() -> u32 {
  if (FILTER) {
    return params.places_2;
  }
  return params.channels;
}

fn next_in_run(part: Part) -> Part {
  var next = part;
  if (FILTER) {
    next.index += params.scale_2 * params.stride_2;
    next.at_2 += params.scale_2;
  } else {
    next.index++;
  }
  return next;
}

// The element where a row and a step meet. INSIDE says that all windows lie in x.
fn window(row: Part, step: Part) -> f32 {
  let i = row.index + step.index;
  if (INSIDE) {
    return load_a(i);
  }
  var inside = row.at_2 + step.at_2 < params.size_2;
  if (AXES > 1u) {
    inside = inside & (row.at_1 + step.at_1 < params.size_1);
  }
  if (AXES > 2u) {
    inside = inside & (row.at_0 + step.at_0 < params.size_0);
  }
  if (GATHER) {
    inside = inside & (row.rest_2 == step.rest_2) & (row.rest_1 == step.rest_1) & (row.rest_0 == step.rest_0);
  }
  return select(0.0, load_a(select(0u, i, inside)), inside);
}

@compute @workgroup_size(LANES_N, LANES_M)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  // Which tile: columns vary fastest, then rows, then slices, then groups.
  let row_tiles = (params.rows + LANES_M * TILE_M - 1u) / (LANES_M * TILE_M);
  let column_tiles = (params.columns + LANES_N * TILE_COLUMNS - 1u) / (LANES_N * TILE_COLUMNS);
  let tile = group.x + group.y * grid.x;
  let part = tile / (row_tiles * column_tiles);
  let row = (tile / column_tiles % row_tiles * LANES_M + lane.y) * TILE_M;
  let column = (tile % column_tiles * LANES_N + lane.x) * TILE_COLUMNS;
  let z = part / params.slices;
  if (z >= params.groups || row >= params.rows || column >= params.columns) {
    return;
  }

  // At the edges the last row and column are loaded again: no condition inside the loop.
  var a_at: array<Part, TILE_M>;
  for (var m = 0u; m < TILE_M; m++) { // @unroll
    a_at[m] = row_part(min(row + m, params.rows - 1u));
    a_at[m].index += z * params.channels;
  }
  var b_at: array<vec4u, TILE_N>;
  for (var n = 0u; n < TILE_N; n++) { // @unroll
    let columns_of_n = min(vec4u(column + 4u * n) + vec4u(0u, 1u, 2u, 3u), vec4u(params.columns - 1u));
    b_at[n] = z * params.b_group + columns_of_n * params.b_column;
  }

  var sum: array<array<vec4f, TILE_N>, TILE_M>;
  var b_sum: array<vec4f, TILE_N>;
  let run = run_length();
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  var k = first;
  while (k < end) {
    let in_run = k % run;
    let stop = min(end, k + run - in_run);
    var step = step_part(k);
    var b_step = k / run * params.b_outer + in_run * params.b_inner;
    while (k < stop) {
      var right: array<vec4f, TILE_N>;
      for (var n = 0u; n < TILE_N; n++) { // @unroll
        let at = b_at[n] + b_step;
        right[n] = vec4(load_b(at.x), load_b(at.y), load_b(at.z), load_b(at.w));
        b_sum[n] += right[n];
      }
      for (var m = 0u; m < TILE_M; m++) { // @unroll
        let left = window(a_at[m], step);
        for (var n = 0u; n < TILE_N; n++) { // @unroll
          sum[m][n] += left * right[n];
        }
      }
      step = next_in_run(step);
      b_step += params.b_inner;
      k++;
    }
  }

  // Rows in a loop whose bound is known only at run time: drivers that compile at the first dispatch take
  // seconds for TILE_M copies of whatever is fused into the store.
  let slice = part % params.slices;
  var sums = sum;
  for (var m = 0u; m < min(TILE_M, params.rows - row); m++) {
    let at = (slice * params.rows + row + m) * params.y_row + z * params.y_group + column;
    let row_sum = sums[m];
    for (var n = 0u; n < TILE_N; n++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        if (column + 4u * n + c < params.columns) {
          store_y(at + 4u * n + c, row_sum[n][c]);
        }
      }
    }
  }
  if (row == 0u) {
    for (var n = 0u; n < TILE_N; n++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        if (column + 4u * n + c < params.columns) {
          store_col_sum(slice * params.y_row + z * params.y_group + column + 4u * n + c, b_sum[n][c]);
        }
      }
    }
  }
}
