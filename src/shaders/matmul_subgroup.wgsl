// Matrix product as in matmul.wgsl, where the lanes of a subgroup load for each other.
//
// One operand is wide: each lane owns 4·TILE_Q of its lines (columns of b, or rows of a with SWAP) and keeps
// their sums with TILE_P lines of the other operand, which is narrow and the same for all lanes of a
// workgroup. For WIDTH steps of k at a time lane j loads the narrow operand at step k + j, once per
// subgroup, and subgroupShuffle hands it round. (subgroupBroadcast wants its lane spelled as a constant.)
// The wide operand is loaded in fours where neighbouring lines are neighbours in memory (FOUR); packed bytes
// then cost one word for four of them, and lane j works out where the row of step k + j begins. So a step
// costs TILE_P / WIDTH + 4·TILE_Q loads for TILE_P · 4·TILE_Q multiply-adds.
//
// WIDTH must not exceed the smallest subgroup that can occur and must divide the workgroup; it need not be
// the true size. Same contract, bindings, strides, slices and numerics as matmul.wgsl.

enable subgroups;
// @enable

const TILE_P = 16u; // @tune
const TILE_Q = 1u; // @tune
const WIDTH = 4u; // @tune
const LANES = 32u; // @tune
const SWAP = false; // @tune
const FOUR = false; // @tune
alias Scalar = f32; // @tune

const LINES = 4u * TILE_Q * LANES;
const_assert LANES % WIDTH == 0u;

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,
  batches: u32,
  slices: u32, // of k, per batch
  slice: u32, // length of one
  a_batch: u32, // strides, in elements
  a_row: u32,
  a_inner: u32,
  b_batch: u32,
  b_inner: u32,
  b_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Scalar>; // @input a
@group(0) @binding(2) var<storage, read> b: array<Scalar>; // @input b
@group(0) @binding(3) var<storage, read_write> y: array<Scalar>; // @output y
@group(0) @binding(4) var<storage, read_write> col_sum: array<Scalar>; // @output col_sum
// @bindings

fn load_a(i: u32) -> Scalar {
  return a[i]; // @load a
}

fn load_b(i: u32) -> Scalar {
  return b[i]; // @load b
}

// Four neighbours from `base` on, a multiple of 4.
fn load4_a(base: u32) -> vec4<Scalar> {
  return vec4(load_a(base), load_a(base + 1u), load_a(base + 2u), load_a(base + 3u)); // @load4 a
}

fn load4_b(base: u32) -> vec4<Scalar> {
  return vec4(load_b(base), load_b(base + 1u), load_b(base + 2u), load_b(base + 3u)); // @load4 b
}

// Where a row of the operand begins, a row being what lies side by side in memory.
fn origin_a(row: u32) -> u32 {
  return row * max(params.a_row, params.a_inner); // @origin a
}

fn origin_b(row: u32) -> u32 {
  return row * max(params.b_inner, params.b_column); // @origin b
}

fn store_y(i: u32, value: Scalar) {
  y[i] = value; // @store y
}

fn store_col_sum(i: u32, value: Scalar) {
  col_sum[i] = value; // @store col_sum
}

// ---- the operands by their roles

// How an operand is walked: from `start`, by line and by step of k; and how many lines it has.
struct Walk {
  start: u32,
  line: u32,
  step: u32,
  lines: u32,
}

fn walk_a(batch: u32) -> Walk {
  return Walk(batch * params.a_batch, params.a_row, params.a_inner, params.rows);
}

fn walk_b(batch: u32) -> Walk {
  return Walk(batch * params.b_batch, params.b_column, params.b_inner, params.columns);
}

fn origin_wide(row: u32) -> u32 {
  if (SWAP) {
    return origin_a(row);
  }
  return origin_b(row);
}

fn load_narrow(i: u32) -> Scalar {
  if (SWAP) {
    return load_b(i);
  }
  return load_a(i);
}

fn load_wide(i: u32) -> Scalar {
  if (SWAP) {
    return load_a(i);
  }
  return load_b(i);
}

fn load4_wide(i: u32) -> vec4<Scalar> {
  if (SWAP) {
    return load4_a(i);
  }
  return load4_b(i);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) lane_of_subgroup: u32,
) {
  // Which tile: wide lines vary fastest, then narrow ones, then slices, then batches. Lanes beyond the last
  // line stay to the end, for the others need what they load.
  let tile = group.x + group.y * grid.x;
  let wide_tiles = (select(params.columns, params.rows, SWAP) + LINES - 1u) / LINES;
  let narrow_tiles = (select(params.rows, params.columns, SWAP) + TILE_P - 1u) / TILE_P;
  let part = tile / (wide_tiles * narrow_tiles);
  let batch = part / params.slices;
  if (batch >= params.batches) {
    return;
  }
  var narrow = walk_a(batch);
  var wide = walk_b(batch);
  if (SWAP) {
    narrow = walk_b(batch);
    wide = walk_a(batch);
  }
  let p_first = tile / wide_tiles % narrow_tiles * TILE_P;
  let q_first = tile % wide_tiles * LINES + 4u * lane;

  // At the edges the last lines are loaded again: no condition inside the loop.
  var p_at: array<u32, TILE_P>;
  for (var p = 0u; p < TILE_P; p++) { // @unroll
    p_at[p] = narrow.start + min(p_first + p, narrow.lines - 1u) * narrow.line;
  }
  var q_at: array<vec4u, TILE_Q>;
  for (var q = 0u; q < TILE_Q; q++) { // @unroll
    let line = q_first + 4u * LANES * q;
    q_at[q] = wide.start + min(vec4u(line, line + 1u, line + 2u, line + 3u), vec4u(wide.lines - 1u)) * wide.line;
    if (FOUR) {
      q_at[q] = vec4u(wide.start + min(line, wide.lines - 4u)); // in the row of a step
    }
  }

  var sum: array<array<vec4<Scalar>, TILE_Q>, TILE_P>;
  var p_sum: array<Scalar, TILE_P>;
  var q_sum: array<vec4<Scalar>, TILE_Q>;
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  for (var k = first; k < end; k += WIDTH) {
    let mine = min(k + lane_of_subgroup % WIDTH, end - 1u);
    var left: array<Scalar, TILE_P>;
    for (var p = 0u; p < TILE_P; p++) { // @unroll
      left[p] = load_narrow(p_at[p] + mine * narrow.step);
    }
    var row = 0u;
    if (FOUR) {
      row = origin_wide(mine);
    }
    // Not unrolled: a driver that compiles at the first dispatch takes WIDTH times as long for it.
    let steps = min(WIDTH, end - k);
    for (var j = 0u; j < steps; j++) {
      let row_of_step = subgroupShuffle(row, j);
      var right: array<vec4<Scalar>, TILE_Q>;
      for (var q = 0u; q < TILE_Q; q++) { // @unroll
        if (FOUR) {
          right[q] = load4_wide(row_of_step + q_at[q].x);
        } else {
          let at = q_at[q] + (k + j) * wide.step;
          right[q] = vec4(load_wide(at.x), load_wide(at.y), load_wide(at.z), load_wide(at.w));
        }
        q_sum[q] += right[q];
      }
      for (var p = 0u; p < TILE_P; p++) { // @unroll
        let shared_left = subgroupShuffle(left[p], j);
        p_sum[p] += shared_left;
        for (var q = 0u; q < TILE_Q; q++) { // @unroll
          sum[p][q] += shared_left * right[q];
        }
      }
    }
  }

  // Narrow lines in a loop whose bound is known only at run time: drivers that compile at the first dispatch
  // take seconds for TILE_P copies of whatever is fused into the store.
  var sums = sum;
  var p_sums = p_sum;
  let p_count = min(TILE_P, narrow.lines - p_first);
  for (var p = 0u; p < p_count; p++) {
    let line_sum = sums[p];
    for (var q = 0u; q < TILE_Q; q++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        let line = q_first + 4u * LANES * q + c;
        if (line < wide.lines) {
          let row = part * params.rows + select(p_first + p, line, SWAP);
          store_y(row * params.columns + select(line, p_first + p, SWAP), line_sum[q][c]);
        }
      }
    }
    if (SWAP && q_first == 0u) {
      store_col_sum(part * params.columns + p_first + p, p_sums[p]);
    }
  }
  if (!SWAP && p_first == 0u) {
    for (var q = 0u; q < TILE_Q; q++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        let line = q_first + 4u * LANES * q + c;
        if (line < wide.lines) {
          store_col_sum(part * params.columns + line, q_sum[q][c]);
        }
      }
    }
  }
}
