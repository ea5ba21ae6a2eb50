// y[i] = f(…) where y is packed bytes: each lane makes four neighbouring elements and stores one word.

override WORKGROUP = 64u;

struct Params {
  size: u32,    // elements
  stride: u32,  // lanes in the whole grid
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
// @bindings

fn element(i: u32) -> u32 {
  return 0u; // @body
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let lane = id.x + id.y * grid.x * WORKGROUP;
  for (var word = lane; word * 4u < params.size; word += params.stride) {
    var bytes = 0u;
    for (var k = 0u; k < 4u && word * 4u + k < params.size; k++) {
      bytes |= (element(word * 4u + k) & 0xffu) << (8u * k);
    }
    y[word] = bytes;
  }
}
