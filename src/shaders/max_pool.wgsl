// The largest element of each window: y[n, p, c] = max over taps of x[n, p · scale + tap − before, c], and `first`, the number
// of the first tap that has it, in row order.
//
// x: [samples, size_0, size_1, size_2, channels], y and first: [samples, places_0, places_1, places_2, channels]; axes that are
// not there have size 1. A lane makes WIDE neighbouring channels. Only what lies in x is looked at.
//
// Numerics: NaN is larger than everything and is found by its bits, because compilers may assume that there is none.

const WIDE = 1u; // @tune

override WORKGROUP: u32 = 64u;

struct Params {
  lanes: u32, // elements of y / WIDE
  channels: u32,
  size_0: u32,
  size_1: u32,
  size_2: u32,
  places_0: u32,
  places_1: u32,
  places_2: u32,
  taps_0: u32,
  taps_1: u32,
  taps_2: u32,
  scale_0: u32,
  scale_1: u32,
  scale_2: u32,
  before_0: u32,
  before_1: u32,
  before_2: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // @output y
@group(0) @binding(3) var<storage, read_write> first: array<i32>; // @output first
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

// Four neighbours from `base` on, a multiple of 4.
fn load4_x(base: u32) -> vec4f {
  return vec4(load_x(base), load_x(base + 1u), load_x(base + 2u), load_x(base + 3u)); // @load4 x
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

fn store_first(i: u32, value: i32) {
  first[i] = value; // @store first
}

fn are_not_numbers(values: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(values) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// The taps of one axis that lie in x, from the first on and before the last.
fn taps_inside(place: u32, scale: u32, before: u32, taps: u32, size: u32) -> vec2u {
  let start = place * scale;
  return vec2u(before - min(before, start), min(taps, size + before - min(size + before, start)));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * WORKGROUP + lane;
  if (at >= params.lanes) {
    return;
  }
  let across = params.channels / WIDE;
  let c = at % across * WIDE;
  var rest = at / across;
  let p_2 = rest % params.places_2;
  rest /= params.places_2;
  let p_1 = rest % params.places_1;
  rest /= params.places_1;
  let p_0 = rest % params.places_0;
  let n = rest / params.places_0;
  let on_0 = taps_inside(p_0, params.scale_0, params.before_0, params.taps_0, params.size_0);
  let on_1 = taps_inside(p_1, params.scale_1, params.before_1, params.taps_1, params.size_1);
  let on_2 = taps_inside(p_2, params.scale_2, params.before_2, params.taps_2, params.size_2);

  var best: vec4f;
  var best_tap: vec4u;
  var found = false;
  for (var t_0 = on_0.x; t_0 < on_0.y; t_0++) {
    let row_0 = n * params.size_0 + p_0 * params.scale_0 + t_0 - params.before_0;
    for (var t_1 = on_1.x; t_1 < on_1.y; t_1++) {
      let row_1 = row_0 * params.size_1 + p_1 * params.scale_1 + t_1 - params.before_1;
      for (var t_2 = on_2.x; t_2 < on_2.y; t_2++) {
        let source = (row_1 * params.size_2 + p_2 * params.scale_2 + t_2 - params.before_2) * params.channels + c;
        var value: vec4f;
        if (WIDE == 4u) {
          value = load4_x(source);
        } else {
          value.x = load_x(source);
        }
        let better = vec4<bool>(!found) | (!are_not_numbers(best) & ((value > best) | are_not_numbers(value)));
        best = select(best, value, better);
        best_tap = select(best_tap, vec4u((t_0 * params.taps_1 + t_1) * params.taps_2 + t_2), better);
        found = true;
      }
    }
  }
  for (var k = 0u; k < WIDE; k++) { // @unroll
    store_y(at * WIDE + k, best[k]);
    store_first(at * WIDE + k, i32(best_tap[k]));
  }
}
