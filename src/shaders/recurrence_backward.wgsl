// The gradient of a recurrent layer (recurrence.wgsl): each row walks back through time inside one dispatch.
//
// g arrives for y; dx leaves for x, dr for what the state gave to each gate (the same but for n of a GRU, where it is
// r times that), dstate for the first state. From dr come, as products over all rows and steps at once, du = Σ (d h)ᵀ dr
// and the gradient of the bias.
//
// u, on, drop, y and saved as there; g: like y; dx, dr: [rows, steps, gates · units]; dstate: like state.
//
// Lanes lie as there. A step first makes dr of all gates from what arrives for h', then, after a barrier, what
// arrives for h: Σ over gates and units of dr · uᵀ, by gates, each sum in the order of the units. With TWICE the steps'
// dr lie in two places in turn and one barrier is enough.

const GATES = 4u; // @tune
const AT_ONCE = 4u; // @tune
const ROWS = 1u; // @tune
const COPIES = 1u; // @tune
const TILE = 4u; // @tune

override CELL: u32 = 1u;
override ACTIVATION: u32 = 1u;
override RECURRENT_ACTIVATION: u32 = 2u;
override ACROSS: u32 = 8u;
override WORKGROUP: u32 = 8u;
override RESIDENT: bool = false;
override TWICE: bool = false;
override MATRIX: u32 = 1u;
override HELD: u32 = 64u;
override OWN: u32 = 64u;
override SUMS: u32 = 32u;

const SIMPLE = 0u;
const LSTM = 1u;
const GRU = 2u;
const GRU_RESET_BEFORE = 3u;

struct Params {
  rows: u32,
  steps: u32,
  units: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // @input u
@group(0) @binding(2) var<storage, read> saved: array<f32>; // @input saved
@group(0) @binding(3) var<storage, read> on: array<i32>; // @input on
@group(0) @binding(4) var<storage, read> drop: array<f32>; // @input drop
@group(0) @binding(5) var<storage, read> g: array<f32>; // @input g
@group(0) @binding(6) var<storage, read_write> dx: array<f32>; // @output dx
@group(0) @binding(7) var<storage, read_write> dr: array<f32>; // @output dr
@group(0) @binding(8) var<storage, read_write> dstate: array<f32>; // @output dstate
// @bindings

fn load_u(i: u32) -> f32 {
  return u[i]; // @load u
}

fn load_saved(i: u32) -> f32 {
  return saved[i]; // @load saved
}

fn load_on(i: u32) -> i32 {
  return on[i]; // @load on
}

fn load_drop(i: u32) -> f32 {
  return drop[i]; // @load drop
}

fn load_g(i: u32) -> f32 {
  return g[i]; // @load g
}

fn store_dx(i: u32, value: f32) {
  dx[i] = value; // @store dx
}

fn store_dr(i: u32, value: f32) {
  dr[i] = value; // @store dr
}

fn store_dstate(i: u32, value: f32) {
  dstate[i] = value; // @store dstate
}

// dr of one step: [GATES, rows, units], for two steps in turn with TWICE.
var<workgroup> held: array<f32, HELD>;
// What only the lane of its unit touches: [parts, rows, units] of what arrives for h, then for c.
var<workgroup> own: array<f32, OWN>;
var<workgroup> matrix: array<f32, MATRIX>;
// Each lane's sums on their way to its rows: in registers their places would have to be constants.
var<workgroup> sums: array<f32, SUMS>;

fn weight(k: u32, column: u32) -> f32 {
  let at = k * GATES * params.units + column;
  if (RESIDENT) {
    return matrix[at];
  }
  return load_u(at);
}

// As in recurrence.wgsl.
fn tanh_of(value: f32) -> f32 {
  let square = value * value;
  let small = value * (1.0 + square * (-0.33333285 + square * (0.13330893 + square * (-0.05353469 + square * 0.01866756))));
  return select(select(tanh(value), sign(value), abs(value) > 15.0), small, abs(value) < 0.4);
}

fn sigmoid_of(value: f32) -> f32 {
  let e = exp(-abs(value));
  let s = 1.0 / (1.0 + e);
  return select(s, e * s, value < 0.0);
}

fn activated(kind: u32, value: f32) -> f32 {
  var result = value;
  if (kind == 1u) {
    result = tanh_of(value);
  } else if (kind == 2u) {
    result = sigmoid_of(value);
  } else if (kind == 3u) {
    result = select(value, 0.0, value < 0.0);
  } else if (kind == 4u) {
    let raised = value + 3.0;
    result = select(select(raised, 0.0, raised < 0.0), 6.0, raised > 6.0) / 6.0;
  }
  return select(result, value, (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u);
}

// The slope of an activation, from its result.
fn slope(kind: u32, result: f32) -> f32 {
  if (kind == 1u) {
    return 1.0 - result * result;
  }
  if (kind == 2u) {
    return result * (1.0 - result);
  }
  if (kind == 3u) {
    return select(0.0, 1.0, result > 0.0);
  }
  if (kind == 4u) {
    return select(0.0, 1.0 / 6.0, result > 0.0 && result < 1.0);
  }
  return 1.0;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = WORKGROUP / ACROSS * ROWS;
  let begin = (group.x + group.y * grid.x) * block;
  if (begin >= params.rows) {
    return;
  }
  let units = params.units;
  let width = GATES * units;
  let side = block * units;
  let first_unit = lane % ACROSS;
  let first = lane / ACROSS * ROWS;
  let last_row = params.rows - 1u;
  let parts = select(select(select(5u, 4u, CELL == GRU_RESET_BEFORE), 6u, CELL == LSTM), 2u, CELL == SIMPLE);
  let slots = params.steps + select(0u, 1u, CELL == LSTM);

  if (RESIDENT) {
    for (var i = lane; i < units * width; i += WORKGROUP) {
      matrix[i] = load_u(i);
    }
  }
  for (var j = first_unit; j < units; j += ACROSS) {
    for (var r = 0u; r < ROWS; r++) {
      let at = (first + r) * units + j;
      own[at] = 0.0;
      if (CELL == LSTM) {
        let row = min(begin + first + r, last_row);
        own[side + at] = load_g((row * slots + params.steps) * units + j);
      }
    }
  }
  workgroupBarrier(); // orders u before the sums that read it

  for (var n = 0u; n < params.steps; n++) {
    let t = params.steps - 1u - n;
    let from_ = select(0u, (n & 1u) * GATES * side, TWICE);
    for (var j = first_unit; j < units; j += ACROSS) {
      for (var r = 0u; r < ROWS; r++) {
        let row = min(begin + first + r, last_row);
        let inside = begin + first + r < params.rows;
        let at = (first + r) * units + j;
        let here = row * params.steps + t;
        let keep = here * parts * units + j;
        let leave = here * width + j;
        let alive = load_on(here) != 0;
        let arrived = own[at] + load_g((row * slots + t) * units + j);
        let dh = select(0.0, arrived, alive); // for the new h, where there is one
        var rest = select(arrived, 0.0, alive); // for the old h, where it stays
        if (CELL == SIMPLE) {
          let d = select(0.0, dh * slope(ACTIVATION, load_saved(keep)), alive);
          held[from_ + at] = d;
          if (inside) {
            store_dx(leave, d);
            store_dr(leave, d);
          }
        }
        if (CELL == LSTM) {
          let i = load_saved(keep);
          let f = load_saved(keep + units);
          let n_gate = load_saved(keep + 2u * units);
          let o = load_saved(keep + 3u * units);
          let c = load_saved(keep + 4u * units);
          let out = activated(ACTIVATION, f * c + i * n_gate);
          let arrived_c = own[side + at];
          let dc = arrived_c + dh * o * slope(ACTIVATION, out);
          let di = select(0.0, dc * n_gate * slope(RECURRENT_ACTIVATION, i), alive);
          let df = select(0.0, dc * c * slope(RECURRENT_ACTIVATION, f), alive);
          let dn = select(0.0, dc * i * slope(ACTIVATION, n_gate), alive);
          let d_o = select(0.0, dh * out * slope(RECURRENT_ACTIVATION, o), alive);
          own[side + at] = select(arrived_c, dc * f, alive);
          held[from_ + at] = di;
          held[from_ + side + at] = df;
          held[from_ + 2u * side + at] = dn;
          held[from_ + 3u * side + at] = d_o;
          if (inside) {
            store_dx(leave, di);
            store_dx(leave + units, df);
            store_dx(leave + 2u * units, dn);
            store_dx(leave + 3u * units, d_o);
            store_dr(leave, di);
            store_dr(leave + units, df);
            store_dr(leave + 2u * units, dn);
            store_dr(leave + 3u * units, d_o);
          }
        }
        if (CELL == GRU) {
          let z = load_saved(keep);
          let reset_gate = load_saved(keep + units);
          let n_gate = load_saved(keep + 2u * units);
          let inner = load_saved(keep + 3u * units);
          let h = load_saved(keep + 4u * units);
          let dz = select(0.0, dh * (h - n_gate) * slope(RECURRENT_ACTIVATION, z), alive);
          let dn = select(0.0, dh * (1.0 - z) * slope(ACTIVATION, n_gate), alive);
          let d_reset = select(0.0, dn * inner * slope(RECURRENT_ACTIVATION, reset_gate), alive);
          rest = select(arrived, dh * z, alive);
          held[from_ + at] = dz;
          held[from_ + side + at] = d_reset;
          let d_inner = select(0.0, dn * reset_gate, alive);
          held[from_ + 2u * side + at] = d_inner;
          if (inside) {
            store_dx(leave, dz);
            store_dx(leave + units, d_reset);
            store_dx(leave + 2u * units, dn);
            store_dr(leave, dz);
            store_dr(leave + units, d_reset);
            store_dr(leave + 2u * units, d_inner);
          }
        }
        if (CELL == GRU_RESET_BEFORE) {
          let z = load_saved(keep);
          let n_gate = load_saved(keep + 2u * units);
          let h = load_saved(keep + 3u * units);
          let dz = select(0.0, dh * (h - n_gate) * slope(RECURRENT_ACTIVATION, z), alive);
          let dn = select(0.0, dh * (1.0 - z) * slope(ACTIVATION, n_gate), alive);
          rest = select(arrived, dh * z, alive);
          held[from_ + at] = dz;
          held[from_ + 2u * side + at] = dn;
          if (inside) {
            store_dx(leave, dz);
            store_dx(leave + 2u * units, dn);
            store_dr(leave, dz);
            store_dr(leave + 2u * units, dn);
          }
        }
        own[at] = rest;
      }
    }
    workgroupBarrier(); // orders every dr before the sums that read them

    if (CELL == GRU_RESET_BEFORE) {
      for (var k = first_unit; k < units; k += ACROSS) {
        var sum = array<f32, ROWS>();
        for (var j = 0u; j < units; j++) {
          let w = weight(k, 2u * units + j);
          for (var r = 0u; r < ROWS; r++) { // @unroll
            sum[r] += held[from_ + 2u * side + (first + r) * units + j] * w;
          }
        }
        for (var r = 0u; r < ROWS; r++) { // @unroll
          sums[r * WORKGROUP + lane] = sum[r];
        }
        for (var r = 0u; r < ROWS; r++) {
          let row = min(begin + first + r, last_row);
          let at = (first + r) * units + k;
          let here = row * params.steps + t;
          let keep = here * parts * units + k;
          let reset_gate = load_saved(keep + units);
          let alive = load_on(here) != 0;
          let d = sums[r * WORKGROUP + lane] * load_drop((row * COPIES + (COPIES - 1u)) * units + k);
          let d_reset = select(0.0, d * load_saved(keep + 3u * units) * slope(RECURRENT_ACTIVATION, reset_gate), alive);
          own[at] += select(0.0, d * reset_gate, alive);
          held[from_ + side + at] = d_reset;
          if (begin + first + r < params.rows) {
            store_dx(here * width + units + k, d_reset);
            store_dr(here * width + units + k, d_reset);
          }
        }
      }
      workgroupBarrier(); // orders dr of the reset gate before the sums that read it
    }

    for (var k = first_unit; k < units; k += ACROSS) {
      // Without a value SwiftShader (Dawn 0.6.2) sets it to zeros only once, not in each turn of the loop.
      var sum = array<f32, TILE>(); // [ROWS, GATES]
      for (var j = 0u; j < units; j++) {
        for (var q = 0u; q < AT_ONCE; q++) { // @unroll
          let w = weight(k, q * units + j);
          for (var r = 0u; r < ROWS; r++) { // @unroll
            sum[r * GATES + q] += held[from_ + q * side + (first + r) * units + j] * w;
          }
        }
      }
      for (var i = 0u; i < TILE; i++) { // @unroll
        sums[i * WORKGROUP + lane] = sum[i];
      }
      for (var r = 0u; r < ROWS; r++) {
        let row = min(begin + first + r, last_row);
        var total = 0.0;
        for (var q = 0u; q < AT_ONCE; q++) {
          total += sums[(r * GATES + q) * WORKGROUP + lane] * load_drop((row * COPIES + q % COPIES) * units + k);
        }
        own[(first + r) * units + k] += total;
      }
    }
    if (!TWICE) {
      workgroupBarrier(); // orders these sums before the next step's dr take the place of this one's
    }
  }

  for (var j = first_unit; j < units; j += ACROSS) {
    for (var r = 0u; r < ROWS; r++) {
      let row = begin + first + r;
      if (row < params.rows) {
        store_dstate(row * units + j, own[(first + r) * units + j]);
        if (CELL == LSTM) {
          store_dstate((params.rows + row) * units + j, own[side + (first + r) * units + j]);
        }
      }
    }
  }
}
