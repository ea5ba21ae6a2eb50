// Attention, the scores of which are stored nowhere: for each query t of a sample and a head
//   score[s] = scale · ⟨q[t], k[s]⟩, and NOTHING where t may not look at s
//   out[t]   = Σ_s share[s] · v[s],  share[s] = exp(score[s] − peak) / mass
//   stats[t] = (peak, 1 / mass),     peak = max score, mass = Σ exp(score − peak)
//
// q: [samples, steps, heads, depth], k: [samples, length, groups, depth], v: [samples, length, groups, width],
// out: [samples, steps, heads, width]; heads / groups heads read one k and v. A lane owns ROWS queries of a head and walks
// through the keys, KEYS at a time: peak and mass so far, and what was added up is brought down whenever the peak rises.
// Every lane reads the same key at a time. HANDED: lane j of every four loads the j-th of four numbers and they are handed
// round, where a load costs more than that. SKIP: keys that none of a workgroup's queries may look at are left out; a
// query that may look at nothing looks at all alike, so then each has one at least.
//
// Numerics: the order of the keys is that of their numbers, whatever the workgroup. NaN and +∞ in a score make the row NaN.

// @enable

const DEPTH = 1u; // @tune
const WIDTH = 1u; // @tune
const ROWS = 1u; // @tune
const KEYS = 4u; // @tune
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
@group(0) @binding(4) var<storage, read> mask: array<i32>; // @input mask
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // @output out
@group(0) @binding(6) var<storage, read_write> stats: array<f32>; // @output stats
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

fn load_mask(i: u32) -> i32 {
  return mask[i]; // @load mask
}

fn store_out(i: u32, value: f32) {
  out[i] = value; // @store out
}

fn store_stats(i: u32, value: f32) {
  stats[i] = value; // @store stats
}

// ---- four numbers that every lane wants

// Which of every four lanes this one is.
fn lane_of_four() -> u32 {
  return 0u; // @lane
}

// What the four have: each its own.
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

// Without && and if: a branch for each lane at each key is what SwiftShader's compiler does not come to an end with.
fn may_look(t: u32, s: u32, mask_at: u32) -> bool {
  var may = s < params.length;
  if (CAUSAL) {
    may = may & (s <= t);
  }
  if (WINDOW) {
    may = may & (max(s, t) - min(s, t) < params.reach);
  }
  if (MASKED) {
    may = may & (load_mask(mask_at + min(s, params.length - 1u)) != 0);
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

  // Rows are loaded and stored in loops whose bounds are known only at run time, from and into arrays of their own: what a
  // driver compiles is a few loads, and the arrays that the walk goes over keep constant indices.
  let rows = min(ROWS, params.steps);
  let depth_fours = (params.depth + 3u) / 4u;
  let width_fours = (params.width + 3u) / 4u;
  var queries: array<array<vec4f, DEPTH>, ROWS>;
  for (var r = 0u; r < rows; r++) {
    let t = min(first + r * LANES + lane, params.steps - 1u);
    let at = ((sample * params.steps + t) * params.heads + head) * params.depth;
    for (var d = 0u; d < depth_fours; d++) {
      for (var j = 0u; j < 4u; j++) { // @unroll
        if (EVEN || 4u * d + j < params.depth) {
          queries[r][d][j] = load_q(at + 4u * d + j);
        }
      }
    }
  }

  let mine = queries;
  var sum: array<array<vec4f, WIDTH>, ROWS>;
  var step: array<u32, ROWS>;
  var mask_at: array<u32, ROWS>;
  var peak: array<f32, ROWS>;
  var mass: array<f32, ROWS>;
  var worst: array<u32, ROWS>; // the bits of a NaN are above those of everything else
  for (var r = 0u; r < ROWS; r++) { // @unroll
    step[r] = min(first + r * LANES + lane, params.steps - 1u); // a row too many repeats the last one
    mask_at[r] = sample * params.mask_sample + step[r] * params.mask_step;
    peak[r] = -3.4e38;
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
  for (var s = begin; s < end; s += KEYS) {
    var score: array<array<f32, KEYS>, ROWS>;
    var top: array<f32, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // @unroll
      top[r] = peak[r];
    }
    for (var key = 0u; key < KEYS; key++) { // @unroll
      let at = ((sample * params.length + min(s + key, params.length - 1u)) * params.groups + shared_head) * params.depth;
      // Said, not left out: Dawn 0.6.2 makes a variable zero once, not at each turn of the loop that it is declared in.
      var product = array<vec4f, ROWS>();
      for (var d = 0u; d < DEPTH; d++) { // @unroll
        let four = four_k(at, 4u * d, of_four);
        for (var r = 0u; r < ROWS; r++) { // @unroll
          product[r] += mine[r][d] * four;
        }
      }
      for (var r = 0u; r < ROWS; r++) { // @unroll
        let all = params.scale * (product[r].x + product[r].y + (product[r].z + product[r].w));
        score[r][key] = select(NOTHING, all, may_look(step[r], s + key, mask_at[r]));
        worst[r] = max(worst[r], bitcast<u32>(score[r][key]) & 0x7fffffffu);
        top[r] = select(top[r], max(top[r], score[r][key]), s + key < params.length);
      }
    }
    for (var r = 0u; r < ROWS; r++) { // @unroll
      let less = exp(peak[r] - top[r]);
      peak[r] = top[r];
      mass[r] *= less;
      for (var d = 0u; d < WIDTH; d++) { // @unroll
        sum[r][d] *= less;
      }
      for (var key = 0u; key < KEYS; key++) { // @unroll
        score[r][key] = select(0.0, exp(score[r][key] - peak[r]), s + key < params.length);
        mass[r] += score[r][key];
      }
    }
    for (var key = 0u; key < KEYS; key++) { // @unroll
      let at = ((sample * params.length + min(s + key, params.length - 1u)) * params.groups + shared_head) * params.width;
      for (var d = 0u; d < WIDTH; d++) { // @unroll
        let four = four_v(at, 4u * d, of_four);
        for (var r = 0u; r < ROWS; r++) { // @unroll
          sum[r][d] += score[r][key] * four;
        }
      }
    }
  }

  var sums = sum;
  var peaks = peak;
  var shares: array<f32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // @unroll
    // By bits: compilers may assume that there is no NaN, and exp(∞ − ∞) is not left to the driver.
    let sound = (worst[r] <= 0x7f800000u) & ((bitcast<u32>(peak[r]) & 0x7f800000u) != 0x7f800000u);
    shares[r] = select(bitcast<f32>(worst[r] | 0x7fc00000u), 1.0 / mass[r], sound);
  }
  for (var r = 0u; r < rows; r++) {
    let t = first + r * LANES + lane;
    if (t < params.steps) {
      let row = (sample * params.steps + t) * params.heads + head;
      for (var d = 0u; d < width_fours; d++) {
        let four = sums[r][d] * shares[r];
        for (var j = 0u; j < 4u; j++) { // @unroll
          if (EVEN || 4u * d + j < params.width) {
            store_out(row * params.width + 4u * d + j, four[j]);
          }
        }
      }
      store_stats(2u * row, peaks[r]);
      store_stats(2u * row + 1u, shares[r]);
    }
  }
}
