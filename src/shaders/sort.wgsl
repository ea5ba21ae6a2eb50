// One pass of a stable sort of rows: where each element goes, and which place of its row it came from.
//
// key: [rows, length], order: [rows, length]; sorted_key and sorted_order the same, moved. Without MERGE blocks of
// BLOCK elements are sorted: an element goes behind all that are smaller, and all its equals before it. With MERGE
// sorted runs of `run` elements are merged two by two: an element goes as far as it stood in its own run plus the
// number of those of the other that come before it, which a binary search finds. No lane waits for another.

override MERGE: bool = false;
override WORKGROUP: u32 = 64u;

const BLOCK = 32u;

struct Params {
  rows: u32,
  length: u32,
  run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> key: array<u32>; // @input key
@group(0) @binding(2) var<storage, read> order: array<i32>; // @input order
@group(0) @binding(3) var<storage, read_write> sorted_key: array<u32>; // @output sorted_key
@group(0) @binding(4) var<storage, read_write> sorted_order: array<i32>; // @output sorted_order
// @bindings

fn load_key(i: u32) -> u32 {
  return key[i]; // @load key
}

fn load_order(i: u32) -> i32 {
  return order[i]; // @load order
}

fn store_sorted_key(i: u32, value: u32) {
  sorted_key[i] = value; // @store sorted_key
}

fn store_sorted_order(i: u32, value: i32) {
  sorted_order[i] = value; // @store sorted_order
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * WORKGROUP + lane;
  if (i >= params.rows * params.length) {
    return;
  }
  let row = i / params.length * params.length;
  let p = i - row;
  let own = load_key(i);
  var place = 0u;
  if (MERGE) {
    let begin = p / (2u * params.run) * (2u * params.run);
    let middle = min(begin + params.run, params.length);
    let is_left = p < middle;
    var low = select(begin, middle, is_left);
    var high = select(middle, min(begin + 2u * params.run, params.length), is_left);
    while (low < high) {
      let probe = (low + high) / 2u;
      let other = load_key(row + probe);
      let before = (other < own) | ((other == own) & !is_left);
      low = select(low, probe + 1u, before);
      high = select(probe, high, before);
    }
    place = p + low - middle;
  } else {
    let begin = p / BLOCK * BLOCK;
    place = begin;
    for (var j = begin; j < min(begin + BLOCK, params.length); j++) {
      let other = load_key(row + j);
      place += u32((other < own) | ((other == own) & (j < p)));
    }
  }
  store_sorted_key(row + place, own);
  store_sorted_order(row + place, load_order(i));
}
