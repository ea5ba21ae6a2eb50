// Convolution as in convolution.wgsl, where the lanes of a subgroup load for each other.
//
// Each lane owns 4·TILE_Q columns and keeps their sums with TILE_P rows, which are the same for all lanes of a
// workgroup. For WIDTH steps of k at a time lane j reads the windows at step k + j, once per subgroup, and
// subgroupShuffle hands it round; with it goes where b has that step. Columns are loaded in fours where they are
// neighbours in memory (FOUR).
//
// Steps are taken in runs, in which windows move by one channel or one place: what a run begins with is worked out once.
// Where runs are shorter than WIDTH (SHORT), each lane works out its own step.
//
// WIDTH must not exceed the smallest subgroup that can occur and must divide LANES. Same contract, bindings, slices
// and numerics as convolution.wgsl.

enable subgroups;
// @enable

const TILE_P = 16u; // @tune
const TILE_Q = 1u; // @tune
const WIDTH = 4u; // @tune
const LANES = 8u; // @tune
const AXES = 2u; // @tune
const GATHER = false; // @tune
const FILTER = false; // @tune
const SPREAD = false; // @tune
const INSIDE = false; // @tune
const FOUR = false; // @tune
const SHORT = false; // @tune

const COLUMNS = 4u * TILE_Q * LANES;
const_assert LANES % WIDTH == 0u;
const_assert AXES >= 1u && AXES <= 3u && !(GATHER && FILTER) && (GATHER || !SPREAD);

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

// Four neighbours from `base` on, a multiple of 4.
fn load4_b(base: u32) -> vec4f {
  return vec4(load_b(base), load_b(base + 1u), load_b(base + 2u), load_b(base + 3u)); // @load4 b
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_col_sum(i: u32, value: f32) {
  col_sum[i] = value; // @store col_sum
}

// What a place, or a tap with a channel, adds to the position in x: to the index and to each coordinate. Where windows are
// SPREAD over what arrives, the rests of two parts must be equal, or they meet between two elements. What is below zero wraps.
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
  if (SPREAD) {
    return vec2u((p + shift) / scale, (p + shift) % scale);
  }
  if (GATHER) {
    return vec2u(p + shift, 0u);
  }
  return vec2u(p * scale + shift, 0u);
}

fn tap_on(t: u32, scale: u32, dilation: u32) -> vec2u {
  if (SPREAD) {
    return vec2u(0u - t * dilation / scale, t * dilation % scale);
  }
  if (GATHER) {
    return vec2u(0u - t * dilation, 0u);
  }
  return vec2u(t * dilation, 0u);
}

// Places and taps with channels are counted in digits, the fastest first: (p_2, p_1, p_0, sample) without the axes that
// are not there, and (c, t_2, t_1, t_0). Counting on needs no division.
const NO_END = 0xffffffffu;

fn place_radix() -> vec3u {
  return vec3u(params.places_2, select(NO_END, params.places_1, AXES > 1u), select(NO_END, params.places_0, AXES > 2u));
}

fn tap_radix() -> vec3u {
  return vec3u(params.channels, select(NO_END, params.taps_2, AXES > 1u), select(NO_END, params.taps_1, AXES > 2u));
}

fn digits_of(i: u32, radix: vec3u) -> vec4u {
  let a = i / radix.x;
  var b = 0u;
  var c = 0u;
  if (AXES > 1u) {
    b = a / radix.y;
  }
  if (AXES > 2u) {
    c = b / radix.z;
  }
  return vec4u(i - a * radix.x, a - b * radix.y, b - c * radix.z, c);
}

// One more in the second digit, with what it carries.
fn next_run(digits: vec4u, radix: vec3u) -> vec4u {
  let y = digits.y + 1u;
  let y_full = y == radix.y;
  let z = digits.z + select(0u, 1u, y_full);
  let z_full = z == radix.z;
  return vec4u(0u, select(y, 0u, y_full), select(z, 0u, z_full), digits.w + select(0u, 1u, z_full));
}

fn next(digits: vec4u, radix: vec3u) -> vec4u {
  let same_run = vec4u(digits.x + 1u, digits.yzw);
  return select(same_run, next_run(digits, radix), same_run.x == radix.x);
}

fn place(digits: vec4u) -> Part {
  var part: Part;
  let on_2 = place_on(digits.x, params.scale_2, params.shift_2);
  part.at_2 = on_2.x;
  part.rest_2 = on_2.y;
  part.index = digits[AXES] * params.stride_sample + on_2.x * params.stride_2;
  if (AXES > 1u) {
    let on_1 = place_on(digits.y, params.scale_1, params.shift_1);
    part.at_1 = on_1.x;
    part.rest_1 = on_1.y;
    part.index += on_1.x * params.stride_1;
  }
  if (AXES > 2u) {
    let on_0 = place_on(digits.z, params.scale_0, params.shift_0);
    part.at_0 = on_0.x;
    part.rest_0 = on_0.y;
    part.index += on_0.x * params.stride_0;
  }
  return part;
}

fn tap(digits: vec4u) -> Part {
  var part: Part;
  let on_2 = tap_on(digits.y, params.scale_2, params.dilation_2);
  part.at_2 = on_2.x;
  part.rest_2 = on_2.y;
  part.index = digits.x + on_2.x * params.stride_2;
  if (AXES > 1u) {
    let on_1 = tap_on(digits.z, params.scale_1, params.dilation_1);
    part.at_1 = on_1.x;
    part.rest_1 = on_1.y;
    part.index += on_1.x * params.stride_1;
  }
  if (AXES > 2u) {
    let on_0 = tap_on(digits.w, params.scale_0, params.dilation_0);
    part.at_0 = on_0.x;
    part.rest_0 = on_0.y;
    part.index += on_0.x * params.stride_0;
  }
  return part;
}

// ---- rows and steps of k, by the product

fn row_radix() -> vec3u {
  if (FILTER) {
    return tap_radix();
  }
  return place_radix();
}

fn step_radix() -> vec3u {
  if (FILTER) {
    return place_radix();
  }
  return tap_radix();
}

fn row_part(digits: vec4u) -> Part {
  if (FILTER) {
    return tap(digits);
  }
  return place(digits);
}

fn step_part(digits: vec4u) -> Part {
  if (FILTER) {
    return place(digits);
  }
  return tap(digits);
}

// The step `by` further in the same run: another channel of one tap, or another place on the last axis.
fn further_in_run(start: Part, by: u32) -> Part {
  var part = start;
  if (FILTER) {
    part.index += by * params.scale_2 * params.stride_2;
    part.at_2 += by * params.scale_2;
  } else {
    part.index += by;
  }
  return part;
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
  if (SPREAD) {
    inside = inside & (row.rest_2 == step.rest_2) & (row.rest_1 == step.rest_1) & (row.rest_0 == step.rest_0);
  }
  return select(0.0, load_a(select(0u, i, inside)), inside);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) lane_of_subgroup: u32,
) {
  // Which tile: columns vary fastest, then rows, then slices, then groups. Lanes beyond the last column stay to
  // the end, for the others need what they load.
  let tile = group.x + group.y * grid.x;
  let column_tiles = (params.columns + COLUMNS - 1u) / COLUMNS;
  let row_tiles = (params.rows + TILE_P - 1u) / TILE_P;
  let part = tile / (column_tiles * row_tiles);
  let z = part / params.slices;
  if (z >= params.groups) {
    return;
  }
  let row = tile / column_tiles % row_tiles * TILE_P;
  let column = tile % column_tiles * COLUMNS + 4u * lane;

  // At the edges the last row and column are loaded again: no condition inside the loop.
  var a_at: array<Part, TILE_P>;
  var row_digits = digits_of(row, row_radix());
  for (var p = 0u; p < TILE_P; p++) { // @unroll
    a_at[p] = row_part(row_digits);
    a_at[p].index += z * params.channels;
    row_digits = select(row_digits, next(row_digits, row_radix()), row + p + 1u < params.rows);
  }
  var b_at: array<vec4u, TILE_Q>;
  for (var q = 0u; q < TILE_Q; q++) { // @unroll
    let line = column + 4u * LANES * q;
    b_at[q] = z * params.b_group + min(vec4u(line, line + 1u, line + 2u, line + 3u), vec4u(params.columns - 1u)) * params.b_column;
    if (FOUR) {
      b_at[q] = vec4u(z * params.b_group + min(line, params.columns - 4u));
    }
  }

  var sum: array<array<vec4f, TILE_Q>, TILE_P>;
  var b_sum: array<vec4f, TILE_Q>;
  let run = step_radix().x;
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  var digits = digits_of(first, step_radix());
  var b_run = first / run * params.b_outer;
  var k = first;
  while (k < end) {
    let start = k;
    var stop = end;
    if (!SHORT) {
      stop = min(end, k + run - digits.x);
    }
    let start_of_run = step_part(digits);
    let b_start = b_run + digits.x * params.b_inner;
    while (k < stop) {
      let mine = min(k + lane_of_subgroup % WIDTH, stop - 1u);
      var step: Part;
      var b_step: u32;
      if (SHORT) {
        step = step_part(digits_of(mine, step_radix()));
        b_step = mine / run * params.b_outer + mine % run * params.b_inner;
      } else {
        step = further_in_run(start_of_run, mine - start);
        b_step = b_start + (mine - start) * params.b_inner;
      }
      var left: array<f32, TILE_P>;
      for (var p = 0u; p < TILE_P; p++) { // @unroll
        left[p] = window(a_at[p], step);
      }
      // Not unrolled: a driver that compiles at the first dispatch takes WIDTH times as long for it.
      let steps = min(WIDTH, stop - k);
      for (var j = 0u; j < steps; j++) {
        let b_of_step = subgroupShuffle(b_step, j);
        var right: array<vec4f, TILE_Q>;
        for (var q = 0u; q < TILE_Q; q++) { // @unroll
          if (FOUR) {
            right[q] = load4_b(b_at[q].x + b_of_step);
          } else {
            let at = b_at[q] + b_of_step;
            right[q] = vec4(load_b(at.x), load_b(at.y), load_b(at.z), load_b(at.w));
          }
          b_sum[q] += right[q];
        }
        for (var p = 0u; p < TILE_P; p++) { // @unroll
          let shared_left = subgroupShuffle(left[p], j);
          for (var q = 0u; q < TILE_Q; q++) { // @unroll
            sum[p][q] += shared_left * right[q];
          }
        }
      }
      k += WIDTH;
    }
    k = stop;
    digits = next_run(digits, step_radix());
    b_run += params.b_outer;
  }

  // Rows in a loop whose bound is known only at run time: drivers that compile at the first dispatch take
  // seconds for TILE_P copies of whatever is fused into the store.
  let slice = part % params.slices;
  var sums = sum;
  for (var p = 0u; p < min(TILE_P, params.rows - row); p++) {
    let at = (slice * params.rows + row + p) * params.y_row + z * params.y_group;
    let row_sum = sums[p];
    for (var q = 0u; q < TILE_Q; q++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        let line = column + 4u * LANES * q + c;
        if (line < params.columns) {
          store_y(at + line, row_sum[q][c]);
        }
      }
    }
  }
  if (row == 0u) {
    for (var q = 0u; q < TILE_Q; q++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        let line = column + 4u * LANES * q + c;
        if (line < params.columns) {
          store_col_sum(slice * params.y_row + z * params.y_group + line, b_sum[q][c]);
        }
      }
    }
  }
}
