// Softmax of each row and what follows from it, a lane per row:
//   y      = exp(x − max) / Σ exp(x − max)
//   log_y  = x − lse                 lse = max + log Σ exp(x − max)
//   loss   = Σ t · (lse − x)         cross-entropy with the target distribution t
//   dx     = (y · Σ t − t) · g       its gradient for x, where g arrives for the loss
//   best   = the first position of the maximum
//
// x, t, y, log_y, dx: [rows, columns]; g, loss, best: [rows]. Whoever wants one output takes that
// one; the rest, bindings included, falls away.
//
// Numerics: the maximum is subtracted first, so nothing overflows. A NaN or +∞ in a row makes the row NaN,
// as does a row of −∞ alone; best then is the first NaN, or the first maximum.

override WORKGROUP: u32 = 64u;

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read> t: array<f32>; // @input t
@group(0) @binding(3) var<storage, read> g: array<f32>; // @input g
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // @output y
@group(0) @binding(5) var<storage, read_write> log_y: array<f32>; // @output log_y
@group(0) @binding(6) var<storage, read_write> loss: array<f32>; // @output loss
@group(0) @binding(7) var<storage, read_write> dx: array<f32>; // @output dx
@group(0) @binding(8) var<storage, read_write> best: array<i32>; // @output best
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn load_t(i: u32) -> f32 {
  return t[i]; // @load t
}

fn load_g(i: u32) -> f32 {
  return g[i]; // @load g
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_log_y(i: u32, value: f32) {
  log_y[i] = value; // @store log_y
}

fn store_loss(i: u32, value: f32) {
  loss[i] = value; // @store loss
}

fn store_dx(i: u32, value: f32) {
  dx[i] = value; // @store dx
}

fn store_best(i: u32, value: i32) {
  best[i] = value; // @store best
}

// By their bits: compilers may assume that there is no NaN and no infinity.
fn is_not_a_number(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.x + group.y * grid.x) * WORKGROUP + lane;
  if (row >= params.rows) {
    return;
  }
  let start = row * params.columns;

  // A NaN counts as the largest and stays.
  var row_max = load_x(start);
  var row_best = 0u;
  for (var c = 1u; c < params.columns; c++) {
    let logit = load_x(start + c);
    if (!is_not_a_number(row_max) && (logit > row_max || is_not_a_number(logit))) {
      row_max = logit;
      row_best = c;
    }
  }

  var sum = 0.0;
  var mass = 0.0;
  var pull = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    let shifted = load_x(start + c) - row_max;
    let share = load_t(start + c);
    sum += exp(shifted);
    mass += share;
    // 0 · ∞ is 0 here: a class that is impossible and not wanted costs nothing.
    pull += select(share * shifted, 0.0, share == 0.0);
  }
  // +∞, or nothing but −∞, has no softmax either: exp(∞ − ∞) is not left to the driver.
  let nan = bitcast<f32>(bitcast<u32>(row_max) | 0x7fc00000u);
  let log_sum = select(nan, log(sum), is_finite(row_max));
  let scale = select(nan, 1.0 / sum, is_finite(row_max));
  let upstream = load_g(row);

  for (var c = 0u; c < params.columns; c++) {
    let shifted = load_x(start + c) - row_max;
    let share = exp(shifted) * scale;
    store_y(start + c, share);
    store_log_y(start + c, shifted - log_sum);
    store_dx(start + c, (share * mass - load_t(start + c)) * upstream);
  }
  // Σ t · (lse − x), with the maximum taken out of both so that nothing large cancels.
  store_loss(row, select(mass * log_sum, 0.0, mass == 0.0) - pull);
  store_best(row, i32(row_best));
}
