// Matrix product as in matmul.wgsl, with slabs of a and b in workgroup memory: for GPUs.
//
// A workgroup makes a block of ROWS = LANES_M·TILE_M rows and COLUMNS = LANES_N·4·TILE_N columns. Slab by slab
// of TILE_K steps of k it copies what all its lanes need, each element once, then every lane multiplies from
// there: per step TILE_M / 4 + TILE_N loads of four for TILE_M · 4·TILE_N multiply-adds.
//
// Slabs are fours of neighbouring lines, [k][line / 4], whatever way the operand lies in memory. It is loaded in
// fours along its lines (A_FOUR, B_FOUR) or along k (A_ALONG_K, B_ALONG_K: blocks of 4 by 4 are turned in
// registers), else word by word; lanes lie along the axis in which elements are neighbours, so that loads
// coalesce. A row of a slab is one four longer than it need be, so that the lanes that write a turned block
// meet different banks.
//
// Same contract, bindings, strides, slices and numerics as matmul.wgsl.

// @enable

const TILE_M = 4u; // @tune
const FOURS_M = 1u; // @tune
const TILE_N = 1u; // @tune
const TILE_K = 16u; // @tune
const LANES_M = 8u; // @tune
const LANES_N = 8u; // @tune
const A_FOUR = false; // @tune
const A_ALONG_K = false; // @tune
const B_FOUR = false; // @tune
const B_ALONG_K = false; // @tune
alias Scalar = f32; // @tune

const LANES = LANES_M * LANES_N;
const ROWS = LANES_M * TILE_M;
const COLUMNS = 4u * LANES_N * TILE_N;
const A_STRIDE = ROWS / 4u + 1u;
const B_STRIDE = COLUMNS / 4u + 1u;
const B_SLAB = TILE_K * A_STRIDE;
const_assert TILE_M == 4u * FOURS_M && TILE_K % 4u == 0u;

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

// How an operand is walked: from `start`, by line (row of a, column of b) and by step of k.
struct Walk {
  start: u32,
  line: u32,
  step: u32,
  lines: u32,
}

fn load(of_b: bool, i: u32) -> Scalar {
  if (of_b) {
    return load_b(i);
  }
  return load_a(i);
}

fn load4(of_b: bool, base: u32) -> vec4<Scalar> {
  if (of_b) {
    return load4_b(base);
  }
  return load4_a(base);
}

fn origin(of_b: bool, row: u32) -> u32 {
  if (of_b) {
    return origin_b(row);
  }
  return origin_a(row);
}

var<workgroup> slab: array<vec4<Scalar>, B_SLAB + TILE_K * B_STRIDE>; // a [k][row / 4], then b [k][column / 4]

// Copies `groups` fours of lines from `first_line` on, for TILE_K steps from `first_k` on, to slab[at].
// Beyond the last line it is copied again; beyond the end of k come zeros.
fn fill(
  of_b: bool,
  four: bool,
  along_k: bool,
  walk: Walk,
  first_line: u32,
  groups: u32,
  first_k: u32,
  end: u32,
  at: u32,
  index: u32,
) {
  if (four) {
    for (var i = index; i < TILE_K * groups; i += LANES) {
      let k = first_k + i / groups;
      let line = min(first_line + 4u * (i % groups), walk.lines - 4u);
      let value = load4(of_b, walk.start + origin(of_b, min(k, end - 1u)) + line);
      slab[at + i / groups * (groups + 1u) + i % groups] = select(vec4<Scalar>(), value, k < end);
    }
    return;
  }
  for (var i = index; i < TILE_K / 4u * groups; i += LANES) {
    let turn = walk.step == 1u;
    let step = 4u * select(i / groups, i % (TILE_K / 4u), turn);
    let group = select(i % groups, i / (TILE_K / 4u), turn);
    let k = first_k + step;
    var block: array<vec4<Scalar>, 4>; // [line][step]
    for (var l = 0u; l < 4u; l++) { // @unroll
      let line = min(first_line + 4u * group + l, walk.lines - 1u);
      if (along_k) {
        block[l] = load4(of_b, walk.start + origin(of_b, line) + min(k, end - 4u));
      } else {
        for (var j = 0u; j < 4u; j++) { // @unroll
          block[l][j] = load(of_b, walk.start + line * walk.line + min(k + j, end - 1u) * walk.step);
        }
      }
    }
    for (var j = 0u; j < 4u; j++) { // @unroll
      let lines = vec4(block[0][j], block[1][j], block[2][j], block[3][j]);
      slab[at + (step + j) * (groups + 1u) + group] = select(vec4<Scalar>(), lines, k + j < end);
    }
  }
}

@compute @workgroup_size(LANES_N, LANES_M)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  // Which block: columns vary fastest, then rows, then slices, then batches.
  let row_blocks = (params.rows + ROWS - 1u) / ROWS;
  let column_blocks = (params.columns + COLUMNS - 1u) / COLUMNS;
  let block = group.x + group.y * grid.x;
  let part = block / (row_blocks * column_blocks);
  let batch = part / params.slices;
  if (batch >= params.batches) {
    return;
  }
  let first_row = block / column_blocks % row_blocks * ROWS;
  let first_column = block % column_blocks * COLUMNS;
  let walk_a = Walk(batch * params.a_batch, params.a_row, params.a_inner, params.rows);
  let walk_b = Walk(batch * params.b_batch, params.b_column, params.b_inner, params.columns);

  var sum: array<array<vec4<Scalar>, TILE_N>, TILE_M>;
  var b_sum: array<vec4<Scalar>, TILE_N>;
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  for (var k = first; k < end; k += TILE_K) {
    fill(false, A_FOUR, A_ALONG_K, walk_a, first_row, ROWS / 4u, k, end, 0u, index);
    fill(true, B_FOUR, B_ALONG_K, walk_b, first_column, COLUMNS / 4u, k, end, B_SLAB, index);
    workgroupBarrier(); // the slabs are whole before anybody reads them
    for (var step = 0u; step < TILE_K; step++) {
      var right: array<vec4<Scalar>, TILE_N>;
      for (var n = 0u; n < TILE_N; n++) { // @unroll
        right[n] = slab[B_SLAB + step * B_STRIDE + n * LANES_N + lane.x];
        b_sum[n] += right[n];
      }
      for (var m = 0u; m < FOURS_M; m++) { // @unroll
        let left = slab[step * A_STRIDE + m * LANES_M + lane.y];
        for (var r = 0u; r < 4u; r++) { // @unroll
          for (var n = 0u; n < TILE_N; n++) { // @unroll
            sum[4u * m + r][n] += left[r] * right[n];
          }
        }
      }
    }
    workgroupBarrier(); // everybody has read them before they are overwritten
  }

  // Bounds known only at run time keep one copy of what is fused into the store.
  var sums = sum;
  var b_sums = b_sum;
  let rows = min(TILE_M, params.rows);
  for (var n = 0u; n < 4u * TILE_N; n++) {
    let column = first_column + 4u * (n / 4u * LANES_N + lane.x) + n % 4u;
    if (column < params.columns) {
      for (var m = 0u; m < rows; m++) {
        let row = first_row + 4u * (m / 4u * LANES_M + lane.y) + m % 4u;
        if (row < params.rows) {
          store_y((part * params.rows + row) * params.columns + column, sums[m][n / 4u][n % 4u]);
        }
      }
      if (first_row + lane.y == 0u) {
        store_col_sum(part * params.columns + column, b_sums[n / 4u][n % 4u]);
      }
    }
  }
}
