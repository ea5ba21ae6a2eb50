// The gradients of attention for its keys and values; attention.wgsl has the words.
//   dv[s] = Σ_t share[t, s] · g[t]
//   dk[s] = scale · Σ_t dscore[t, s] · q[t],  dscore = share · (⟨g[t], v[s]⟩ − delta[t]) where t may look at s, else 0
//
// over the queries of all heads that read this key. share[t, s] = exp(score − peak) · (1 / mass) is worked out again of stats,
// delta[t] = ⟨g[t], out[t]⟩. A lane owns ROWS keys and walks through the queries.

// @enable

const DEPTH = 1u; // @tune
const WIDTH = 1u; // @tune
const ROWS = 1u; // @tune
const LANES = 64u; // @tune
const EVEN = true; // @tune
const CAUSAL = false; // @tune
const WINDOW = false; // @tune
const MASKED = false; // @tune
const SKIP = false; // @tune
const HANDED = false; // @tune

const NOTHING = -1e9;

struct Params {
  samples: u32,
  steps: u32,
  length: u32,
  heads: u32,
  groups: u32,
  depth: u32, // DEPTH fours, the last of them perhaps not whole
  width: u32, // WIDTH fours
  reach: u32, // WINDOW: t looks at s where |t − s| < reach
  mask_sample: u32, // strides, 0 where the mask is one for all
  mask_step: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // @input q
@group(0) @binding(2) var<storage, read> k: array<f32>; // @input k
@group(0) @binding(3) var<storage, read> v: array<f32>; // @input v
@group(0) @binding(4) var<storage, read> stats: array<f32>; // @input stats
@group(0) @binding(5) var<storage, read> delta: array<f32>; // @input delta
@group(0) @binding(6) var<storage, read> g: array<f32>; // @input g
@group(0) @binding(7) var<storage, read> mask: array<i32>; // @input mask
@group(0) @binding(8) var<storage, read_write> dk: array<f32>; // @output dk
@group(0) @binding(9) var<storage, read_write> dv: array<f32>; // @output dv
// @bindings

fn load_q(i: u32) -> f32 {
  return q[i]; // @load q
}

fn load_k(i: u32) -> f32 {
  return k[i]; // @load k
}

fn load_v(i: u32) -> f32 {
  return v[i]; // @load v
}

fn load_stats(i: u32) -> f32 {
  return stats[i]; // @load stats
}

fn load_delta(i: u32) -> f32 {
  return delta[i]; // @load delta
}

fn load_g(i: u32) -> f32 {
  return g[i]; // @load g
}

fn load_mask(i: u32) -> i32 {
  return mask[i]; // @load mask
}

fn store_dk(i: u32, value: f32) {
  dk[i] = value; // @store dk
}

fn store_dv(i: u32, value: f32) {
  dv[i] = value; // @store dv
}

// ---- four numbers that every lane wants, as in attention.wgsl

fn lane_of_four() -> u32 {
  return 0u; // @lane
}

fn handed(mine: f32) -> vec4f {
  return vec4f(mine); // @handed
}

fn four_q(at: u32, d: u32, lane: u32) -> vec4f {
  if (HANDED) {
    let mine = load_q(at + min(d + lane, params.depth - 1u));
    return handed(select(mine, 0.0, !EVEN & (d + lane >= params.depth)));
  }
  var four = vec4f();
  for (var j = 0u; j < 4u; j++) { // @unroll
    if (EVEN || d + j < params.depth) {
      four[j] = load_q(at + d + j);
    }
  }
  return four;
}

fn four_g(at: u32, d: u32, lane: u32) -> vec4f {
  if (HANDED) {
    let mine = load_g(at + min(d + lane, params.width - 1u));
    return handed(select(mine, 0.0, !EVEN & (d + lane >= params.width)));
  }
  var four = vec4f();
  for (var j = 0u; j < 4u; j++) { // @unroll
    if (EVEN || d + j < params.width) {
      four[j] = load_g(at + d + j);
    }
  }
  return four;
}

fn may_look(t: u32, s: u32, mask_at: u32) -> bool {
  var may = true;
  if (CAUSAL) {
    may = may & (s <= t);
  }
  if (WINDOW) {
    may = may & (max(s, t) - min(s, t) < params.reach);
  }
  if (MASKED) {
    may = may & (load_mask(mask_at) != 0);
  }
  return may;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * grid.x;
  let blocks = (params.length + ROWS * LANES - 1u) / (ROWS * LANES);
  let first = block % blocks * ROWS * LANES;
  let shared_head = block / blocks % params.groups;
  let sample = block / blocks / params.groups;
  if (sample >= params.samples) {
    return;
  }
  let heads = params.heads / params.groups;
  let of_four = lane_of_four();

  // In loops whose bounds are known only at run time, as in attention.wgsl.
  let rows = min(ROWS, params.length);
  let depth_fours = (params.depth + 3u) / 4u;
  let width_fours = (params.width + 3u) / 4u;
  var keys: array<array<vec4f, DEPTH>, ROWS>;
  var values: array<array<vec4f, WIDTH>, ROWS>;
  for (var r = 0u; r < rows; r++) {
    let s = min(first + r * LANES + lane, params.length - 1u);
    let at = (sample * params.length + s) * params.groups + shared_head;
    for (var d = 0u; d < depth_fours; d++) {
      for (var j = 0u; j < 4u; j++) { // @unroll
        if (EVEN || 4u * d + j < params.depth) {
          keys[r][d][j] = load_k(at * params.depth + 4u * d + j);
        }
      }
    }
    for (var d = 0u; d < width_fours; d++) {
      for (var j = 0u; j < 4u; j++) { // @unroll
        if (EVEN || 4u * d + j < params.width) {
          values[r][d][j] = load_v(at * params.width + 4u * d + j);
        }
      }
    }
  }

  let key = keys;
  let value = values;
  var dkey: array<array<vec4f, DEPTH>, ROWS>;
  var dvalue: array<array<vec4f, WIDTH>, ROWS>;
  var place: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // @unroll
    place[r] = min(first + r * LANES + lane, params.length - 1u); // a row too many repeats the last one
  }

  var begin = 0u;
  var end = params.steps;
  if (SKIP && CAUSAL) {
    begin = first;
  }
  if (SKIP && WINDOW) {
    begin = max(begin, first - min(first, params.reach - 1u));
    end = min(end, first + ROWS * LANES + params.reach);
  }
  for (var head = shared_head * heads; head < (shared_head + 1u) * heads; head++) {
    for (var t = begin; t < end; t++) {
      let row = (sample * params.steps + t) * params.heads + head;
      let peak = load_stats(2u * row);
      let share = load_stats(2u * row + 1u);
      let shift = load_delta(row);
      var query: array<vec4f, DEPTH>;
      var product = array<vec4f, ROWS>();
      for (var d = 0u; d < DEPTH; d++) { // @unroll
        query[d] = four_q(row * params.depth, 4u * d, of_four);
        for (var r = 0u; r < ROWS; r++) { // @unroll
          product[r] += key[r][d] * query[d];
        }
      }
      var slope: array<vec4f, WIDTH>;
      var along = array<vec4f, ROWS>();
      for (var d = 0u; d < WIDTH; d++) { // @unroll
        slope[d] = four_g(row * params.width, 4u * d, of_four);
        for (var r = 0u; r < ROWS; r++) { // @unroll
          along[r] += value[r][d] * slope[d];
        }
      }
      for (var r = 0u; r < ROWS; r++) { // @unroll
        let all = params.scale * (product[r].x + product[r].y + (product[r].z + product[r].w));
        let up = along[r].x + along[r].y + (along[r].z + along[r].w);
        let may = may_look(t, place[r], sample * params.mask_sample + t * params.mask_step + place[r]);
        let p = exp(select(NOTHING, all, may) - peak) * share;
        let dscore = select(0.0, p * (up - shift), may);
        for (var d = 0u; d < DEPTH; d++) { // @unroll
          dkey[r][d] += dscore * query[d];
        }
        for (var d = 0u; d < WIDTH; d++) { // @unroll
          dvalue[r][d] += p * slope[d];
        }
      }
    }
  }

  var dkeys = dkey;
  var dvalues = dvalue;
  for (var r = 0u; r < rows; r++) {
    let s = first + r * LANES + lane;
    if (s < params.length) {
      let at = (sample * params.length + s) * params.groups + shared_head;
      for (var d = 0u; d < depth_fours; d++) {
        let four = params.scale * dkeys[r][d];
        for (var j = 0u; j < 4u; j++) { // @unroll
          if (EVEN || 4u * d + j < params.depth) {
            store_dk(at * params.depth + 4u * d + j, four[j]);
          }
        }
      }
      for (var d = 0u; d < width_fours; d++) {
        let four = dvalues[r][d];
        for (var j = 0u; j < 4u; j++) { // @unroll
          if (EVEN || 4u * d + j < params.width) {
            store_dv(at * params.width + 4u * d + j, four[j]);
          }
        }
      }
    }
  }
}
