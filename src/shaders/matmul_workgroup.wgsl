// Matrix product as in matmul.wgsl, with slabs of a and b in workgroup memory: for GPUs.
//
// A workgroup makes a block of LANES_M·TILE_M rows and LANES_N·4·TILE_N columns. Slab by slab of TILE_K
// steps of k it copies what all its lanes need, each element once, then every lane multiplies from there.
// Lanes copy along the axis in which the operand's elements are neighbours, so that loads coalesce.
//
// Same contract, bindings, strides, slices and numerics as matmul.wgsl.

const TILE_M = 4u; // @tune
const TILE_N = 1u; // @tune
const TILE_K = 16u; // @tune
const LANES_M = 8u; // @tune
const LANES_N = 8u; // @tune
alias Scalar = f32; // @tune

const LANES = LANES_M * LANES_N;
const ROWS = LANES_M * TILE_M;
const COLUMNS = 4u * LANES_N * TILE_N;
const_assert TILE_K * ROWS % LANES == 0u && TILE_K * COLUMNS % LANES == 0u;

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

fn store_y(i: u32, value: Scalar) {
  y[i] = value; // @store y
}

fn store_col_sum(i: u32, value: Scalar) {
  col_sum[i] = value; // @store col_sum
}

var<workgroup> a_slab: array<Scalar, TILE_K * ROWS>; // [k][row]
var<workgroup> b_slab: array<Scalar, TILE_K * COLUMNS>; // [k][column]

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
  let a_start = batch * params.a_batch;
  let b_start = batch * params.b_batch;

  var sum: array<array<vec4<Scalar>, TILE_N>, TILE_M>;
  var b_sum: array<vec4<Scalar>, TILE_N>;
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  for (var slab = first; slab < end; slab += TILE_K) {
    // Beyond the edges the last row and column are copied again; beyond the end of k, zeros.
    for (var i = index; i < TILE_K * ROWS; i += LANES) {
      let k = select(i / ROWS, i % TILE_K, params.a_inner == 1u);
      let m = select(i % ROWS, i / TILE_K, params.a_inner == 1u);
      let row = min(first_row + m, params.rows - 1u);
      let value = load_a(a_start + row * params.a_row + min(slab + k, end - 1u) * params.a_inner);
      a_slab[k * ROWS + m] = select(Scalar(0), value, slab + k < end);
    }
    for (var i = index; i < TILE_K * COLUMNS; i += LANES) {
      let k = select(i / COLUMNS, i % TILE_K, params.b_inner == 1u);
      let n = select(i % COLUMNS, i / TILE_K, params.b_inner == 1u);
      let column = min(first_column + n, params.columns - 1u);
      let value = load_b(b_start + min(slab + k, end - 1u) * params.b_inner + column * params.b_column);
      b_slab[k * COLUMNS + n] = select(Scalar(0), value, slab + k < end);
    }
    workgroupBarrier(); // the slabs are whole before anybody reads them
    for (var k = 0u; k < TILE_K; k++) {
      var right: array<vec4<Scalar>, TILE_N>;
      for (var n = 0u; n < TILE_N; n++) { // @unroll
        let at = k * COLUMNS + 4u * (n * LANES_N + lane.x);
        right[n] = vec4(b_slab[at], b_slab[at + 1u], b_slab[at + 2u], b_slab[at + 3u]);
        b_sum[n] += right[n];
      }
      for (var m = 0u; m < TILE_M; m++) { // @unroll
        let left = a_slab[k * ROWS + lane.y * TILE_M + m];
        for (var n = 0u; n < TILE_N; n++) { // @unroll
          sum[m][n] += left * right[n];
        }
      }
    }
    workgroupBarrier(); // everybody has read them before they are overwritten
  }

  // Bounds known only at run time keep one copy of what is fused into the store.
  var sums = sum;
  var b_sums = b_sum;
  let row = first_row + lane.y * TILE_M;
  for (var n = 0u; n < 4u * TILE_N; n++) {
    let column = first_column + 4u * (n / 4u * LANES_N + lane.x) + n % 4u;
    if (column < params.columns) {
      for (var m = 0u; m < min(TILE_M, max(row, params.rows) - row); m++) {
        store_y((part * params.rows + row + m) * params.columns + column, sums[m][n / 4u][n % 4u]);
      }
      if (row == 0u) {
        store_col_sum(part * params.columns + column, b_sums[n / 4u][n % 4u]);
      }
    }
  }
}
