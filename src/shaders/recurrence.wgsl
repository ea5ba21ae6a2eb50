// A recurrent layer over a whole batch: each row walks through time inside one dispatch. With a = activation and
// s = recurrent activation, d a mask of what is dropped, and x already a product with the kernel, bias included:
//   SIMPLE    h' = a(x + d h · u)
//   LSTM      i, f, o = s(x + d h · u),  c' = f c + i a(x + d h · u),  h' = o a(c')
//   GRU       z, r = s(x + d h · u + b),  n = a(x + r (d h · u + b)),  h' = z h + (1 − z) n
//   GRU_RESET_BEFORE   the same without b, and n = a(x + (r d h) · u)
//
// x: [rows, steps, gates · units]; u: [units, gates · units]; state: [parts, rows, units], h and, for an LSTM, c;
// bias: [gates · units]; on: [rows, steps], 0 where a step leaves the state as it is; drop: [rows, copies, units], gate
// g taking copy g % copies; y: [rows, steps, units], every h', and the last c of an LSTM as one step more;
// saved: [rows, steps, parts, units], what the gradient needs: see below, at the end h.
//
// A workgroup walks DOWN · ROWS rows: ACROSS lanes share the units of ROWS rows. The states of two steps are in workgroup
// memory in turn, so that one barrier a step is enough; u is there too where it fits (RESIDENT).
//
// Numerics: each sum goes by the units in order, whatever the lanes are, so all variants give the same bits.

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
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read> u: array<f32>; // @input u
@group(0) @binding(3) var<storage, read> bias: array<f32>; // @input bias
@group(0) @binding(4) var<storage, read> state: array<f32>; // @input state
@group(0) @binding(5) var<storage, read> on: array<i32>; // @input on
@group(0) @binding(6) var<storage, read> drop: array<f32>; // @input drop
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // @output y
@group(0) @binding(8) var<storage, read_write> saved: array<f32>; // @output saved
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn load_u(i: u32) -> f32 {
  return u[i]; // @load u
}

fn load_bias(i: u32) -> f32 {
  return bias[i]; // @load bias
}

fn load_state(i: u32) -> f32 {
  return state[i]; // @load state
}

fn load_on(i: u32) -> i32 {
  return on[i]; // @load on
}

fn load_drop(i: u32) -> f32 {
  return drop[i]; // @load drop
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_saved(i: u32, value: f32) {
  saved[i] = value; // @store saved
}

// d h of this step and of the next: [2, COPIES, rows, units]; for GRU_RESET_BEFORE behind them r d h: [rows, units].
var<workgroup> held: array<f32, HELD>;
// What only the lane of its unit touches: [parts, rows, units] of h, then c or z, then r.
var<workgroup> own: array<f32, OWN>;
var<workgroup> matrix: array<f32, MATRIX>;
// Each lane's sums on their way to its cells: in registers their places would have to be constants.
var<workgroup> sums: array<f32, SUMS>;

fn weight(k: u32, column: u32) -> f32 {
  let at = k * GATES * params.units + column;
  if (RESIDENT) {
    return matrix[at];
  }
  return load_u(at);
}

// As in lib/math.wgsl, where it is said why.
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

// NaN stays, found by its bits: see lib/math.wgsl.
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

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = WORKGROUP / ACROSS * ROWS; // rows of this workgroup
  let begin = (group.x + group.y * grid.x) * block;
  if (begin >= params.rows) {
    return;
  }
  let units = params.units;
  let width = GATES * units;
  let side = block * units; // a state of all rows
  let first_unit = lane % ACROSS;
  let first = lane / ACROSS * ROWS; // the lane's rows, within the block
  let last_row = params.rows - 1u;
  let reset = 2u * COPIES * side;
  let parts = select(select(select(5u, 4u, CELL == GRU_RESET_BEFORE), 6u, CELL == LSTM), 2u, CELL == SIMPLE);
  let slots = params.steps + select(0u, 1u, CELL == LSTM);

  if (RESIDENT) {
    for (var i = lane; i < units * width; i += WORKGROUP) {
      matrix[i] = load_u(i);
    }
  }
  for (var j = first_unit; j < units; j += ACROSS) {
    for (var r = 0u; r < ROWS; r++) {
      let row = min(begin + first + r, last_row); // a row too many repeats the last and stores nothing
      let at = (first + r) * units + j;
      let h = load_state(row * units + j);
      own[at] = h;
      if (CELL == LSTM) {
        own[side + at] = load_state((params.rows + row) * units + j);
      }
      for (var copy = 0u; copy < COPIES; copy++) {
        held[copy * side + at] = h * load_drop((row * COPIES + copy) * units + j);
      }
    }
  }
  workgroupBarrier(); // orders u and the first states before the sums that read them

  for (var t = 0u; t < params.steps; t++) {
    let from_ = (t & 1u) * COPIES * side;
    let to = COPIES * side - from_;
    for (var j = first_unit; j < units; j += ACROSS) {
      // Without a value SwiftShader (Dawn 0.6.2) sets it to zeros only once, not in each turn of the loop.
      var s = array<f32, TILE>(); // [ROWS, GATES]
      for (var k = 0u; k < units; k++) {
        for (var g = 0u; g < AT_ONCE; g++) { // @unroll
          let w = weight(k, g * units + j);
          for (var r = 0u; r < ROWS; r++) { // @unroll
            s[r * GATES + g] += held[from_ + (g % COPIES) * side + (first + r) * units + k] * w;
          }
        }
      }
      for (var i = 0u; i < TILE; i++) { // @unroll
        sums[i * WORKGROUP + lane] = s[i];
      }
      for (var r = 0u; r < ROWS; r++) {
        let row = min(begin + first + r, last_row);
        let inside = begin + first + r < params.rows;
        let at = (first + r) * units + j;
        let here = row * params.steps + t;
        let made = r * GATES * WORKGROUP + lane;
        let input = here * width + j;
        let keep = here * parts * units + j;
        let h = own[at];
        let alive = load_on(here) != 0;
        var next = h;
        if (CELL == SIMPLE) {
          next = activated(ACTIVATION, load_x(input) + sums[made]);
          if (inside) {
            store_saved(keep, next);
            store_saved(keep + units, h);
          }
        }
        if (CELL == LSTM) {
          let c = own[side + at];
          let i = activated(RECURRENT_ACTIVATION, load_x(input) + sums[made]);
          let f = activated(RECURRENT_ACTIVATION, load_x(input + units) + sums[made + 1u % GATES * WORKGROUP]);
          let n = activated(ACTIVATION, load_x(input + 2u * units) + sums[made + 2u % GATES * WORKGROUP]);
          let o = activated(RECURRENT_ACTIVATION, load_x(input + 3u * units) + sums[made + 3u % GATES * WORKGROUP]);
          let new_c = f * c + i * n;
          next = o * activated(ACTIVATION, new_c);
          own[side + at] = select(c, new_c, alive);
          if (inside) {
            store_saved(keep, i);
            store_saved(keep + units, f);
            store_saved(keep + 2u * units, n);
            store_saved(keep + 3u * units, o);
            store_saved(keep + 4u * units, c);
            store_saved(keep + 5u * units, h);
          }
        }
        if (CELL == GRU) {
          let z = activated(RECURRENT_ACTIVATION, load_x(input) + (sums[made] + load_bias(j)));
          let reset_gate = activated(RECURRENT_ACTIVATION, load_x(input + units) + (sums[made + 1u % GATES * WORKGROUP] + load_bias(units + j)));
          let inner = sums[made + 2u % GATES * WORKGROUP] + load_bias(2u * units + j);
          let n = activated(ACTIVATION, load_x(input + 2u * units) + reset_gate * inner);
          next = z * h + (1.0 - z) * n;
          if (inside) {
            store_saved(keep, z);
            store_saved(keep + units, reset_gate);
            store_saved(keep + 2u * units, n);
            store_saved(keep + 3u * units, inner);
            store_saved(keep + 4u * units, h);
          }
        }
        if (CELL == GRU_RESET_BEFORE) {
          own[side + at] = activated(RECURRENT_ACTIVATION, load_x(input) + sums[made]);
          let reset_gate = activated(RECURRENT_ACTIVATION, load_x(input + units) + sums[made + 1u % GATES * WORKGROUP]);
          own[2u * side + at] = reset_gate;
          held[reset + at] = reset_gate * (h * load_drop((row * COPIES + (COPIES - 1u)) * units + j));
        } else {
          let new_h = select(h, next, alive);
          own[at] = new_h;
          for (var copy = 0u; copy < COPIES; copy++) {
            held[to + copy * side + at] = new_h * load_drop((row * COPIES + copy) * units + j);
          }
          if (inside) {
            store_y((row * slots + t) * units + j, new_h);
          }
        }
      }
    }
    if (CELL == GRU_RESET_BEFORE) {
      workgroupBarrier(); // orders every r d h before the sums that read them
      for (var j = first_unit; j < units; j += ACROSS) {
        var s = array<f32, ROWS>();
        for (var k = 0u; k < units; k++) {
          let w = weight(k, 2u * units + j);
          for (var r = 0u; r < ROWS; r++) { // @unroll
            s[r] += held[reset + (first + r) * units + k] * w;
          }
        }
        for (var r = 0u; r < ROWS; r++) { // @unroll
          sums[r * WORKGROUP + lane] = s[r];
        }
        for (var r = 0u; r < ROWS; r++) {
          let row = min(begin + first + r, last_row);
          let inside = begin + first + r < params.rows;
          let at = (first + r) * units + j;
          let here = row * params.steps + t;
          let keep = here * parts * units + j;
          let h = own[at];
          let z = own[side + at];
          let n = activated(ACTIVATION, load_x(here * width + 2u * units + j) + sums[r * WORKGROUP + lane]);
          let new_h = select(h, z * h + (1.0 - z) * n, load_on(here) != 0);
          own[at] = new_h;
          for (var copy = 0u; copy < COPIES; copy++) {
            held[to + copy * side + at] = new_h * load_drop((row * COPIES + copy) * units + j);
          }
          if (inside) {
            store_saved(keep, z);
            store_saved(keep + units, own[2u * side + at]);
            store_saved(keep + 2u * units, n);
            store_saved(keep + 3u * units, h);
            store_y((row * slots + t) * units + j, new_h);
          }
        }
      }
    }
    workgroupBarrier(); // orders the new states before the next step reads them
  }

  if (CELL == LSTM) {
    for (var j = first_unit; j < units; j += ACROSS) {
      for (var r = 0u; r < ROWS; r++) {
        if (begin + first + r < params.rows) {
          store_y(((begin + first + r) * slots + params.steps) * units + j, own[side + (first + r) * units + j]);
        }
      }
    }
  }
}
