// Matrix product as in matmul.wgsl, where the lanes of a subgroup load a for each other.
//
// All lanes of a workgroup share TILE_M rows and lie side by side along the columns. For WIDTH steps of k
// at a time lane j loads a[row, k + j] for each row, and subgroupShuffle hands it round: a is loaded once
// per subgroup, not once per lane. (subgroupBroadcast wants its lane spelled as a constant.) WIDTH must not
// exceed the smallest subgroup that can occur, and must divide the workgroup; it need not be the true size.
//
// Same contract, bindings, strides, slices and numerics as matmul.wgsl.

enable subgroups;
// @enable

const TILE_M = 8u; // @tune
const TILE_N = 1u; // @tune
const WIDTH = 2u; // @tune
const LANES_N = 32u; // @tune
alias Scalar = f32; // @tune

const TILE_COLUMNS = 4u * TILE_N;
const_assert LANES_N % WIDTH == 0u;

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

@compute @workgroup_size(LANES_N)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) lane_of_subgroup: u32,
) {
  // Which tile: columns vary fastest, then rows, then slices, then batches. Lanes beyond the last column
  // stay to the end, for the others need what they load.
  let row_tiles = (params.rows + TILE_M - 1u) / TILE_M;
  let column_tiles = (params.columns + LANES_N * TILE_COLUMNS - 1u) / (LANES_N * TILE_COLUMNS);
  let tile = group.x + group.y * grid.x;
  let part = tile / (row_tiles * column_tiles);
  let row = tile / column_tiles % row_tiles * TILE_M;
  let column = (tile % column_tiles * LANES_N + lane) * TILE_COLUMNS;
  let batch = part / params.slices;
  if (batch >= params.batches) {
    return;
  }

  // At the edges the last row and column are loaded again: no condition inside the loop.
  var a_at: array<u32, TILE_M>;
  for (var m = 0u; m < TILE_M; m++) { // @unroll
    a_at[m] = batch * params.a_batch + min(row + m, params.rows - 1u) * params.a_row;
  }
  var b_at: array<vec4u, TILE_N>;
  for (var n = 0u; n < TILE_N; n++) { // @unroll
    let columns_of_n = min(vec4u(column + 4u * n) + vec4u(0u, 1u, 2u, 3u), vec4u(params.columns - 1u));
    b_at[n] = batch * params.b_batch + columns_of_n * params.b_column;
  }

  var sum: array<array<vec4<Scalar>, TILE_N>, TILE_M>;
  var b_sum: array<vec4<Scalar>, TILE_N>;
  let first = part % params.slices * params.slice;
  let end = min(first + params.slice, params.inner);
  for (var k = first; k < end; k += WIDTH) {
    let mine = min(k + lane_of_subgroup % WIDTH, end - 1u);
    var left: array<Scalar, TILE_M>;
    for (var m = 0u; m < TILE_M; m++) { // @unroll
      left[m] = load_a(a_at[m] + mine * params.a_inner);
    }
    for (var j = 0u; j < WIDTH; j++) { // @unroll
      if (k + j < end) {
        var right: array<vec4<Scalar>, TILE_N>;
        for (var n = 0u; n < TILE_N; n++) { // @unroll
          let at = b_at[n] + (k + j) * params.b_inner;
          right[n] = vec4(load_b(at.x), load_b(at.y), load_b(at.z), load_b(at.w));
          b_sum[n] += right[n];
        }
        for (var m = 0u; m < TILE_M; m++) { // @unroll
          let shared_left = subgroupShuffle(left[m], j);
          for (var n = 0u; n < TILE_N; n++) { // @unroll
            sum[m][n] += shared_left * right[n];
          }
        }
      }
    }
  }
  if (column >= params.columns) {
    return;
  }

  // Rows in a loop whose bound is known only at run time: drivers that compile at the first dispatch take
  // seconds for TILE_M copies of whatever is fused into the store.
  var sums = sum;
  for (var m = 0u; m < min(TILE_M, params.rows - row); m++) {
    let at = (part * params.rows + row + m) * params.columns + column;
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
          store_col_sum(part * params.columns + column + 4u * n + c, b_sum[n][c]);
        }
      }
    }
  }
}
