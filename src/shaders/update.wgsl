// Elementwise formulas over many tensors in one dispatch: every optimizer update of a model, and whatever else
// a step updates in place.
//
// A table cuts the tensors into chunks, one per workgroup. A row of the table holds the number of the chunk's
// formula, the chunk's first element, the element after its last, and the position (in words) of each operand
// in its buffer; a formula then reads w[i], g[i], m[i] … as buffer[position + i]. A model with a hundred layers
// costs what one with a single large layer costs.
//
// The body is generated: for each formula (a `switch` where there are several) what all elements share, and
// `for (var i = first + lane; i < end; i += WORKGROUP) { … }`.

override WORKGROUP = 64u;
const COLUMNS = 3u; // @tune

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
  let formula = table[row];
  let first = table[row + 1u];
  let end = table[row + 2u];
  // @body
}
