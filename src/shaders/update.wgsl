// The same elementwise formula over many tensors in one dispatch: every optimizer update of a model.
//
// A table cuts the tensors into chunks, one per workgroup. A row of the table holds the chunk's first
// element, the element after its last, and the position (in words) of each operand in its buffer; the
// formula then reads w[i], g[i], m[i] … as buffer[position + i]. A model with a hundred layers costs
// what one with a single large layer costs.

override WORKGROUP = 64u;
const COLUMNS = 2u; // @tune

struct Params {
  chunks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>;
// @bindings

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let chunk = group.x + group.y * grid.x;
  if (chunk >= params.chunks) {
    return;
  }
  let row = chunk * COLUMNS;
  let end = table[row + 1u];
  // @prologue
  for (var i = table[row] + lane; i < end; i += WORKGROUP) {
    // @body
  }
}
