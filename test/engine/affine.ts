/** The small kernel of the engine's tests: y = x · scale + shift, with every kind of mark. */
export const affine = `// y = x * scale + shift
// @enable
override WORKGROUP: u32 = 64;
alias Scalar = f32; // @tune
const LANES = 1u; // @tune

struct Params {
  size: u32,
  scale: f32,
  shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // @input x
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // @output y
// @bindings

fn load_x(i: u32) -> f32 {
  return x[i]; // @load x
}

fn store_y(i: u32, value: f32) {
  y[i] = value; // @store y
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * LANES;
  if (i >= params.size) {
    return;
  }
  var value = f32(Scalar(load_x(i) * params.scale)) + f32(params.shift);
  // @body
  store_y(i, value);
}
`;
