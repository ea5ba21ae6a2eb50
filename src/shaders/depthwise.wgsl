// Depthwise convolution, each channel by filters of its own: y[n, p, c·M + m] = Σ x[n, p · scale + t · dilation − before, c] · w[t, c, m].
//
// x, here `a`: [samples, size_0, size_1, size_2, C], w: [taps, C, M], y: [samples, places_0, places_1, places_2, C·M]; axes that are
// not there have size 1, and outside x there are zeros. With GATHER it is the gradient of x: a is what arrives, and
// y[n, i, c] = Σ a[n, (i + before − t · dilation) / scale, c·M + m] · w[t, c, m], where that is whole.
//
// A lane makes WIDE neighbouring channels: 1, or 4 where M = 1. Numerics: one running sum, in the order of taps.

const WIDE = 1u; // @tune
const GATHER = false; // @tune

override WORKGROUP: u32 = 64u;

struct Params {
  lanes: u32,
  channels: u32, // of y
  a_channels: u32,
  multiplier: u32, // M
  size_0: u32, // of a
  size_1: u32,
  size_2: u32,
  places_0: u32, // of y
  places_1: u32,
  places_2: u32,
  taps_0: u32,
  taps_1: u32,
  taps_2: u32,
  scale_0: u32,
  scale_1: u32,
  scale_2: u32,
  dilation_0: u32,
  dilation_1: u32,
  dilation_2: u32,
  before_0: u32,
  before_1: u32,
  before_2: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // @input a
@group(0) @binding(2) var<storage, read> w: array<f32>; // @input w
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // @output y
// @bindings

fn load_a(i: u32) -> f32 {
  return a[i]; // @load a
}

fn load_w(i: u32) -> f32 {
  return w[i]; // @load w
}

// Four neighbours from `base` on, a multiple of 4.
fn load4_a(base: u32) -> vec4f {
  return vec4(load_a(base), load_a(base + 1u), load_a(base + 2u), load_a(base + 3u)); // @load4 a
}

fn load4_w(base: u32) -> vec4f {
  return vec4(load_w(base), load_w(base + 1u), load_w(base + 2u), load_w(base + 3u)); // @load4 w
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

const NOWHERE = 0xffffffffu;

// Where a tap of the window at a place lies on one axis of a. What is below zero wraps, and is outside.
fn reached(p: u32, t: u32, scale: u32, dilation: u32, before: u32, size: u32) -> u32 {
  if (GATHER) {
    let spread = p + before - t * dilation;
    let i = spread / scale;
    return select(NOWHERE, i, (i < size) & (i * scale == spread));
  }
  let i = p * scale + t * dilation - before;
  return select(NOWHERE, i, i < size);
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
  let e = at % across * WIDE;
  var rest = at / across;
  let p_2 = rest % params.places_2;
  rest /= params.places_2;
  let p_1 = rest % params.places_1;
  rest /= params.places_1;
  let p_0 = rest % params.places_0;
  let n = rest / params.places_0;
  let c = e / select(params.multiplier, 1u, GATHER);

  var total: vec4f;
  var tap = 0u;
  for (var t_0 = 0u; t_0 < params.taps_0; t_0++) {
    let i_0 = reached(p_0, t_0, params.scale_0, params.dilation_0, params.before_0, params.size_0);
    for (var t_1 = 0u; t_1 < params.taps_1; t_1++) {
      let i_1 = reached(p_1, t_1, params.scale_1, params.dilation_1, params.before_1, params.size_1);
      for (var t_2 = 0u; t_2 < params.taps_2; t_2++) {
        let i_2 = reached(p_2, t_2, params.scale_2, params.dilation_2, params.before_2, params.size_2);
        let inside = (i_0 != NOWHERE) & (i_1 != NOWHERE) & (i_2 != NOWHERE);
        let element = ((n * params.size_0 + i_0) * params.size_1 + i_1) * params.size_2 + i_2;
        let place = select(0u, element * params.a_channels, inside);
        if (WIDE == 4u) {
          let four = load4_a(place + e) * load4_w(tap * params.channels + e);
          total += select(vec4f(), four, inside);
        } else if (GATHER) {
          for (var m = 0u; m < params.multiplier; m++) {
            let own = c * params.multiplier + m;
            let one = load_a(place + own) * load_w(tap * params.a_channels + own);
            total.x += select(0.0, one, inside);
          }
        } else {
          let one = load_a(place + c) * load_w(tap * params.channels + e);
          total.x += select(0.0, one, inside);
        }
        tap++;
      }
    }
  }
  for (var k = 0u; k < WIDE; k++) { // @unroll
    store_y(at * WIDE + k, total[k]);
  }
}
