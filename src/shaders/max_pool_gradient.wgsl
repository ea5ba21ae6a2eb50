// What a maximum over windows that do not overlap gives back: dx[n, p · scale + tap − before, c] = g[n, p, c] where tap is
// first[n, p, c], the one that had the maximum, and 0 elsewhere.
//
// g and first: [samples, places_0, places_1, places_2, channels], dx: [samples, size_0, size_1, size_2, channels]; axes that are not
// there have size 1. A lane makes all that lies within `scale` of one place, WIDE neighbouring channels, 1 or 4; there are lanes
// for `spans` places, so that what no window reaches is written too.

const WIDE = 1u; // @tune

override WORKGROUP: u32 = 64u;

struct Params {
  lanes: u32,
  channels: u32,
  size_0: u32,
  size_1: u32,
  size_2: u32,
  spans_0: u32,
  spans_1: u32,
  spans_2: u32,
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
@group(0) @binding(1) var<storage, read> g: array<f32>; // @input g
@group(0) @binding(2) var<storage, read> first: array<i32>; // @input first
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // @output dx
// @bindings

fn load_g(i: u32) -> f32 {
  return g[i]; // @load g
}

fn load_first(i: u32) -> i32 {
  return first[i]; // @load first
}

// Four neighbours from `base` on, a multiple of 4.
fn load4_g(base: u32) -> vec4f {
  return vec4(load_g(base), load_g(base + 1u), load_g(base + 2u), load_g(base + 3u)); // @load4 g
}

fn load4_first(base: u32) -> vec4i {
  return vec4(load_first(base), load_first(base + 1u), load_first(base + 2u), load_first(base + 3u)); // @load4 first
}

fn store_dx(i: u32, value: f32) {
  dx[i] = value; // @store dx
}

// The steps from one place to the next that lie in x: the first, and where they end.
fn steps_inside(place: u32, scale: u32, before: u32, size: u32) -> vec2u {
  let start = place * scale;
  return vec2u(before - min(before, start), min(scale, size + before - min(size + before, start)));
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
  let p_2 = rest % params.spans_2;
  rest /= params.spans_2;
  let p_1 = rest % params.spans_1;
  rest /= params.spans_1;
  let p_0 = rest % params.spans_0;
  let n = rest / params.spans_0;
  let on_0 = steps_inside(p_0, params.scale_0, params.before_0, params.size_0);
  let on_1 = steps_inside(p_1, params.scale_1, params.before_1, params.size_1);
  let on_2 = steps_inside(p_2, params.scale_2, params.before_2, params.size_2);

  // The tap that gets what arrives, and -1 where there is no window.
  var arrives: vec4f;
  var own = vec4i(-1);
  if ((p_0 < params.places_0) & (p_1 < params.places_1) & (p_2 < params.places_2)) {
    let place = ((n * params.places_0 + p_0) * params.places_1 + p_1) * params.places_2 + p_2;
    let source = place * params.channels + c;
    if (WIDE == 4u) {
      arrives = load4_g(source);
      own = load4_first(source);
    } else {
      arrives.x = load_g(source);
      own.x = load_first(source);
    }
  }
  for (var t_0 = on_0.x; t_0 < on_0.y; t_0++) {
    let row_0 = n * params.size_0 + p_0 * params.scale_0 + t_0 - params.before_0;
    for (var t_1 = on_1.x; t_1 < on_1.y; t_1++) {
      let row_1 = row_0 * params.size_1 + p_1 * params.scale_1 + t_1 - params.before_1;
      for (var t_2 = on_2.x; t_2 < on_2.y; t_2++) {
        let to = (row_1 * params.size_2 + p_2 * params.scale_2 + t_2 - params.before_2) * params.channels + c;
        // Beyond a window narrower than a step there are no taps.
        let reached = (t_0 < params.taps_0) & (t_1 < params.taps_1) & (t_2 < params.taps_2);
        let tap = vec4i(i32((t_0 * params.taps_1 + t_1) * params.taps_2 + t_2));
        let value = select(vec4f(), arrives, (own == tap) & vec4<bool>(reached));
        for (var k = 0u; k < WIDE; k++) { // @unroll
          store_dx(to + k, value[k]);
        }
      }
    }
  }
}
