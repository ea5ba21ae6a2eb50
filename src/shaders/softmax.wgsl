// Softmax of each row and what follows from it:
//   y      = exp(x − max) / Σ exp(x − max)
//   log_y  = x − lse                 lse = max + log Σ exp(x − max)
//   loss   = Σ t · (lse − x)         cross-entropy with the target distribution t
//   dx     = (y · Σ t − t) · g       its gradient for x, where g arrives for the loss
//   best   = the first position of the maximum
//
// x, t, y, log_y, dx: [rows, columns]; g, loss, best: [rows]. Whoever wants one output takes that
// one; the rest, bindings included, falls away. Without COOPERATE a lane makes a row; with it a workgroup
// does, lane j taking every WORKGROUP-th column, and trees in fixed order join the lanes.
//
// Numerics: the maximum is subtracted first, so nothing overflows. A NaN or +∞ in a row makes the row NaN,
// as does a row of −∞ alone; best then is the first NaN, or the first maximum.

override WORKGROUP: u32 = 64u;
override COOPERATE: bool = false;

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

struct Candidate {
  value: f32,
  at: u32,
}

// A NaN counts as the largest; equals go by position.
fn beats(q: Candidate, p: Candidate) -> bool {
  let q_nan = is_not_a_number(q.value);
  let p_nan = is_not_a_number(p.value);
  if (q_nan || p_nan) {
    return q_nan && (!p_nan || q.at < p.at);
  }
  return q.value > p.value || (q.value == p.value && q.at < p.at);
}

var<workgroup> bests: array<Candidate, WORKGROUP>;
var<workgroup> sums: array<vec3f, WORKGROUP>;

fn best_of_lanes(mine: Candidate, lane: u32) -> Candidate {
  bests[lane] = mine;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // orders the upper half's candidates before the lower half reads them
    if (lane < half && beats(bests[lane + half], bests[lane])) {
      bests[lane] = bests[lane + half];
    }
  }
  workgroupBarrier(); // orders the last step before everybody reads it
  return bests[0];
}

fn sum_of_lanes(mine: vec3f, lane: u32) -> vec3f {
  sums[lane] = mine;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // as above
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  workgroupBarrier();
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

  let begin = min(first, params.columns - 1u);
  var best = Candidate(load_x(start + begin), begin);
  for (var c = first + step; c < params.columns; c += step) {
    let next = Candidate(load_x(start + c), c);
    if (beats(next, best)) {
      best = next;
    }
  }
  if (COOPERATE) {
    best = best_of_lanes(best, lane);
  }

  // Σ exp(x − max), Σ t, Σ t · (x − max)
  var sum = vec3f();
  for (var c = first; c < params.columns; c += step) {
    let shifted = load_x(start + c) - best.value;
    let share = load_t(start + c);
    // 0 · ∞ is 0 here: a class that is impossible and not wanted costs nothing.
    sum += vec3f(exp(shifted), share, select(share * shifted, 0.0, share == 0.0));
  }
  if (COOPERATE) {
    sum = sum_of_lanes(sum, lane);
  }
  // +∞, or nothing but −∞, has no softmax: exp(∞ − ∞) is not left to the driver.
  let nan = bitcast<f32>(bitcast<u32>(best.value) | 0x7fc00000u);
  let log_sum = select(nan, log(sum.x), is_finite(best.value));
  let scale = select(nan, 1.0 / sum.x, is_finite(best.value));
  let mass = sum.y;
  let upstream = load_g(row);

  if (inside) {
    for (var c = first; c < params.columns; c += step) {
      let shifted = load_x(start + c) - best.value;
      let p = exp(shifted) * scale;
      store_y(start + c, p);
      store_log_y(start + c, shifted - log_sum);
      store_dx(start + c, (p * mass - load_t(start + c)) * upstream);
    }
    if (first == 0u) {
      // Σ t · (lse − x), with the maximum taken out of both so that nothing large cancels.
      store_loss(row, select(mass * log_sum, 0.0, mass == 0.0) - sum.z);
      store_best(row, i32(best.at));
    }
  }
}
