// The gradient of attention for its queries; attention.wgsl has the words.
//   dscore[s] = share[s] · (⟨g[t], v[s]⟩ − delta[t]) where t may look at s, else 0
//   dq[t]     = scale · Σ_s dscore[s] · k[s]
//
// g arrives for out, delta[t] = ⟨g[t], out[t]⟩, and share[s] = exp(score − peak) · (1 / mass) is worked out again of stats.
// A lane owns ROWS queries of a head and walks through the keys.

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
@group(0) @binding(8) var<storage, read_write> dq: array<f32>; // @output dq
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

fn store_dq(i: u32, value: f32) {
  dq[i] = value; // @store dq
}

// ---- four numbers that every lane wants, as in attention.wgsl

fn lane_of_four() -> u32 {
  return 0u; // @lane
}

fn handed(mine: f32) -> vec4f {
  return vec4f(mine); // @handed
}

fn four_k(at: u32, d: u32, lane: u32) -> vec4f {
  if (HANDED) {
    let mine = load_k(at + min(d + lane, params.depth - 1u));
    return handed(select(mine, 0.0, !EVEN & (d + lane >= params.depth)));
  }
  var four = vec4f();
  for (var j = 0u; j < 4u; j++) { // @unroll
    if (EVEN || d + j < params.depth) {
      four[j] = load_k(at + d + j);
    }
  }
  return four;
}

fn four_v(at: u32, d: u32, lane: u32) -> vec4f {
  if (HANDED) {
    let mine = load_v(at + min(d + lane, params.width - 1u));
    return handed(select(mine, 0.0, !EVEN & (d + lane >= params.width)));
  }
  var four = vec4f();
  for (var j = 0u; j < 4u; j++) { // @unroll
    if (EVEN || d + j < params.width) {
      four[j] = load_v(at + d + j);
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
  let blocks = (params.steps + ROWS * LANES - 1u) / (ROWS * LANES);
  let first = block % blocks * ROWS * LANES;
  let head = block / blocks % params.heads;
  let sample = block / blocks / params.heads;
  if (sample >= params.samples) {
    return;
  }
  let shared_head = head / (params.heads / params.groups);
  let of_four = lane_of_four();

  // In loops whose bounds are known only at run time, as in attention.wgsl.
  let rows = min(ROWS, params.steps);
  let depth_fours = (params.depth + 3u) / 4u;
  let width_fours = (params.width + 3u) / 4u;
  var queries: array<array<vec4f, DEPTH>, ROWS>;
  var slopes: array<array<vec4f, WIDTH>, ROWS>;
  for (var r = 0u; r < rows; r++) {
    let t = min(first + r * LANES + lane, params.steps - 1u);
    let row = (sample * params.steps + t) * params.heads + head;
    for (var d = 0u; d < depth_fours; d++) {
      for (var j = 0u; j < 4u; j++) { // @unroll
        if (EVEN || 4u * d + j < params.depth) {
          queries[r][d][j] = load_q(row * params.depth + 4u * d + j);
        }
      }
    }
    for (var d = 0u; d < width_fours; d++) {
      for (var j = 0u; j < 4u; j++) { // @unroll
        if (EVEN || 4u * d + j < params.width) {
          slopes[r][d][j] = load_g(row * params.width + 4u * d + j);
        }
      }
    }
  }

  let mine = queries;
  let slope = slopes;
  var sum: array<array<vec4f, DEPTH>, ROWS>;
  var step: array<u32, ROWS>;
  var mask_at: array<u32, ROWS>;
  var peak: array<f32, ROWS>;
  var share: array<f32, ROWS>;
  var shift: array<f32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // @unroll
    step[r] = min(first + r * LANES + lane, params.steps - 1u); // a row too many repeats the last one
    mask_at[r] = sample * params.mask_sample + step[r] * params.mask_step;
    let row = (sample * params.steps + step[r]) * params.heads + head;
    peak[r] = load_stats(2u * row);
    share[r] = load_stats(2u * row + 1u);
    shift[r] = load_delta(row);
  }

  var begin = 0u;
  var end = params.length;
  if (SKIP && CAUSAL) {
    end = min(end, first + ROWS * LANES);
  }
  if (SKIP && WINDOW) {
    begin = first - min(first, params.reach - 1u);
    end = min(end, first + ROWS * LANES + params.reach);
  }
  for (var s = begin; s < end; s++) {
    let at = (sample * params.length + s) * params.groups + shared_head;
    var key: array<vec4f, DEPTH>;
    var product = array<vec4f, ROWS>();
    for (var d = 0u; d < DEPTH; d++) { // @unroll
      key[d] = four_k(at * params.depth, 4u * d, of_four);
      for (var r = 0u; r < ROWS; r++) { // @unroll
        product[r] += mine[r][d] * key[d];
      }
    }
    var along = array<vec4f, ROWS>();
    for (var d = 0u; d < WIDTH; d++) { // @unroll
      let four = four_v(at * params.width, 4u * d, of_four);
      for (var r = 0u; r < ROWS; r++) { // @unroll
        along[r] += slope[r][d] * four;
      }
    }
    for (var r = 0u; r < ROWS; r++) { // @unroll
      let score = params.scale * (product[r].x + product[r].y + (product[r].z + product[r].w));
      let up = along[r].x + along[r].y + (along[r].z + along[r].w);
      let dscore = exp(score - peak[r]) * share[r] * (up - shift[r]);
      let counted = select(0.0, dscore, may_look(step[r], s, mask_at[r] + s));
      for (var d = 0u; d < DEPTH; d++) { // @unroll
        sum[r][d] += counted * key[d];
      }
    }
  }

  var sums = sum;
  for (var r = 0u; r < rows; r++) {
    let t = first + r * LANES + lane;
    if (t < params.steps) {
      let row = (sample * params.steps + t) * params.heads + head;
      for (var d = 0u; d < depth_fours; d++) {
        let four = params.scale * sums[r][d];
        for (var j = 0u; j < 4u; j++) { // @unroll
          if (EVEN || 4u * d + j < params.depth) {
            store_dq(row * params.depth + 4u * d + j, four[j]);
          }
        }
      }
    }
  }
}
