// y[i] = f(a[i'], b[i''], …): any chain of elementwise ops, broadcasts, views, gathers and choices.
//
// Everything about f is generated: the bindings that it reads and writes, what is the same for all
// elements (@prologue: scalars are loaded and computed once per lane), and the element itself (@body,
// which also stores). Each lane takes elements i, i + stride, i + 2·stride, …, so that neighbours read
// neighbouring addresses and no size is too large for the grid.

override WORKGROUP = 64u;

struct Params {
  size: u32,    // elements
  stride: u32,  // lanes in the whole grid
}

@group(0) @binding(0) var<uniform> params: Params;
// @bindings

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let lane = id.x + id.y * grid.x * WORKGROUP;
  // @prologue
  for (var i = lane; i < params.size; i += params.stride) {
    // @body
  }
}
