// Some steps of stochastic gradient descent for many linear classifiers at once, as scikit-learn takes them:
//   p = w · x + b,   η = 1 / (α (start + t)),   d = max(0, 1 − η α),   u = −η ∂loss/∂p
//   w ← d w + u x,   b ← b + u,   t ← t + 1
// with loss = log(1 + exp p) − y p, y ∈ {0, 1}, or with HINGE max(0, 1 − y p), y ∈ {−1, 1}.
//
// state, next: [models, features + 3]: weights, b, the sum of loss + α/2 ‖w‖² before each step, t.
// x: [samples, features]. order: [models, rows], which sample comes when: r if it is of the model's class,
// −1 − r if it is not. count: [models], how many of its rows a model walks. position: [1], where it stands.
//
// Each step needs the weights of the one before, so a workgroup walks the samples of one model in order, and
// the models run beside each other. Lane j holds the weights j, j + WORKGROUP, … in registers. The dot
// product has one barrier: partial sums go to two halves in turn, and every lane adds all of them itself.

const PER_LANE = 4u; // @tune

override WORKGROUP: u32 = 64u;
override HINGE: bool = false;

struct Params {
  models: u32,
  features: u32,
  rows: u32,
  steps: u32,
  alpha: f32,
  start: f32,
  intercept: f32, // 1 where b is learned, else 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<f32>; // @input state
@group(0) @binding(2) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(3) var<storage, read> order: array<i32>; // @input order
@group(0) @binding(4) var<storage, read> count: array<i32>; // @input count
@group(0) @binding(5) var<storage, read> position: array<i32>; // @input position
@group(0) @binding(6) var<storage, read_write> next: array<f32>; // @output next
// @bindings

fn load_state(i: u32) -> f32 {
  return state[i]; // @load state
}

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn load_order(i: u32) -> i32 {
  return order[i]; // @load order
}

fn load_count(i: u32) -> i32 {
  return count[i]; // @load count
}

fn load_position(i: u32) -> i32 {
  return position[i]; // @load position
}

fn store_next(i: u32, value: f32) {
  next[i] = value; // @store next
}

var<workgroup> partials: array<vec2f, 2u * WORKGROUP>;
var<workgroup> span: vec2u;

// The sum over all lanes, in one order everywhere. Calls must take `half` 0 and WORKGROUP in turn: a lane
// still adding up one half is at most one barrier behind the lanes that write the other.
fn total(value: vec2f, half: u32, lane: u32) -> vec2f {
  partials[half + lane] = value;
  workgroupBarrier(); // orders all partial sums before the lanes read them
  var sum = vec2f(0.0);
  for (var i = 0u; i < WORKGROUP; i++) {
    sum += partials[half + i];
  }
  return sum;
}

fn log_1p_exp(p: f32) -> f32 {
  return max(p, 0.0) + log(1.0 + exp(-abs(p)));
}

fn loss(p: f32, positive: bool) -> f32 {
  if (HINGE) {
    return max(0.0, 1.0 - select(-p, p, positive));
  }
  return log_1p_exp(select(p, -p, positive));
}

// ∂loss/∂p
fn slope(p: f32, positive: bool) -> f32 {
  if (HINGE) {
    return select(select(0.0, 1.0, p >= -1.0), select(0.0, -1.0, p <= 1.0), positive);
  }
  let e = exp(-abs(p));
  let sigmoid = select(e, 1.0, p >= 0.0) / (1.0 + e);
  return sigmoid - select(0.0, 1.0, positive);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let model = group.x + group.y * grid.x;
  if (model >= params.models) {
    return;
  }
  let own = model * (params.features + 3u);
  if (lane == 0u) {
    let begin = u32(max(load_position(0u), 0));
    span = vec2u(begin, min(begin + params.steps, u32(max(load_count(model), 0))));
  }
  let walk = workgroupUniformLoad(&span);

  var w: array<f32, PER_LANE>;
  var sample: array<f32, PER_LANE>;
  var squares = 0.0;
  for (var k = 0u; k < PER_LANE; k++) {
    let j = k * WORKGROUP + lane;
    w[k] = select(0.0, load_state(own + min(j, params.features - 1u)), j < params.features);
    squares += w[k] * w[k];
  }
  var norm = total(vec2f(squares, 0.0), 0u, lane).x;
  var b = load_state(own + params.features);
  var objective = 0.0;
  let t = load_state(own + params.features + 2u);
  var half = WORKGROUP;

  for (var i = walk.x; i < walk.y; i++) {
    let pick = load_order(model * params.rows + i);
    let positive = pick >= 0;
    let row = u32(select(-1 - pick, pick, positive)) * params.features;

    var sums = vec2f(0.0); // w · x, x · x
    for (var k = 0u; k < PER_LANE; k++) { // @unroll
      let j = k * WORKGROUP + lane;
      sample[k] = select(0.0, load_x(row + min(j, params.features - 1u)), j < params.features);
      sums += sample[k] * vec2f(w[k], sample[k]);
    }
    sums = total(sums, half, lane);
    half = WORKGROUP - half;

    let p = sums.x + b;
    objective += loss(p, positive) + 0.5 * params.alpha * norm;
    let eta = 1.0 / (params.alpha * (params.start + t + f32(i - walk.x)));
    let decay = max(0.0, 1.0 - eta * params.alpha);
    let u = -eta * slope(p, positive);
    for (var k = 0u; k < PER_LANE; k++) { // @unroll
      w[k] = decay * w[k] + u * sample[k];
    }
    // ‖d w + u x‖² = d² ‖w‖² + 2 d u w·x + u² x·x
    norm = decay * decay * norm + u * (2.0 * decay * sums.x + u * sums.y);
    b += u * params.intercept;
  }

  for (var k = 0u; k < PER_LANE; k++) {
    let j = k * WORKGROUP + lane;
    if (j < params.features) {
      store_next(own + j, w[k]);
    }
  }
  if (lane == 0u) {
    let end = own + params.features;
    store_next(end, b);
    store_next(end + 1u, load_state(end + 1u) + objective);
    store_next(end + 2u, t + f32(max(walk.y, walk.x) - walk.x));
  }
}
