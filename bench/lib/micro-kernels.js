/** The kernels that an adapter is measured with: a few lines of WGSL each, of nobody's library. */

export const lanes = 64;
const head = `
@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${lanes}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {
  let lane = id.x;
  let stride = n.x * ${lanes}u;`;
const times = (count, text) => Array.from({ length: count }, (_, i) => text(i)).join('\n');

/** Eight independent chains of multiply-adds, so that latency hides; x and y depend on nothing known beforehand. */
export const fmaRepeats = 64;
export const fmaKernel = (element) => `alias Element = ${element}; ${head}
  let a = x[0];
  let b = x[1];
  ${times(8, (i) => `var v${i} = x[${i}u] + Element(f32(lane));`)}
  for (var i = 0u; i < ${fmaRepeats}u; i++) {
    ${times(8, (i) => `v${i} = fma(v${i}, a, b);`)}
  }
  let sum = ${times(8, (i) => `v${i}`).replaceAll('\n', ' + ')};
  y[lane] = ${element === 'f32' ? 'sum' : 'sum.x + sum.y + sum.z + sum.w'};
}`;

/** Each lane reads 64 elements: neighbours at neighbouring places, or all lanes the same place. */
export const loadRepeats = 64;
export const loadKernel = (element, index) => `alias Element = ${element}; ${head}
  var sum = Element(0.0);
  for (var i = 0u; i < ${loadRepeats}u; i++) { sum += x[${index}]; }
  y[lane] = ${element === 'f32' ? 'sum' : 'sum.x + sum.y + sum.z + sum.w'};
}`;

/**
 * Register tiles as matrix products have them, rows × columns multiply-adds a lane for the operands it loads: one by one;
 * columns in fours; or the rows' operands loaded by four lanes together, who tell each other.
 */
export const tileDepth = 64;
const sumOf = (count, name) => times(count, (i) => `${name}${i}`).replaceAll('\n', ' + ');
const tileHead = (element) => `alias Element = ${element}; ${head}
  let row = (lane / 8u) % 32u;
  let column = lane % 8u;`;
export const tiles = {
  plain: (rows, columns) => `${tileHead('f32')}
  ${times(rows * columns, (i) => `var s${i} = 0.0;`)}
  for (var k = 0u; k < ${tileDepth}u; k++) {
    ${times(rows, (r) => `let a${r} = x[(row * ${rows}u + ${r}u) * ${tileDepth}u + k];`)}
    ${times(columns, (c) => `let b${c} = x[(k * ${columns}u + ${c}u) * 8u + column];`)}
    ${times(rows * columns, (i) => `s${i} = fma(a${Math.floor(i / columns)}, b${i % columns}, s${i});`)}
  }
  y[lane] = ${sumOf(rows * columns, 's')};
}`,
  fours: (rows, columns) => `${tileHead('vec4f')}
  ${times((rows * columns) / 4, (i) => `var s${i} = vec4f();`)}
  for (var k = 0u; k < ${tileDepth / 4}u; k++) {
    ${times(rows, (r) => `let a${r} = x[(row * ${rows}u + ${r}u) * ${tileDepth / 4}u + k];`)}
    ${times(4, (p) =>
      times(columns / 4, (c) => {
        const sums = times(
          rows,
          (r) =>
            `s${(r * columns) / 4 + c} = fma(vec4f(a${r}[${p}]), b${p}_${c}, s${(r * columns) / 4 + c});`,
        );
        return `let b${p}_${c} = x[((k * 4u + ${p}u) * ${columns / 4}u + ${c}u) * 8u + column];\n${sums}`;
      }),
    )}
  }
  let sum = ${sumOf((rows * columns) / 4, 's')};
  y[lane] = sum.x + sum.y + sum.z + sum.w;
}`,
  shared: (rows, columns) => `enable subgroups;
  ${tileHead('f32').replace('fn main(', 'fn main(@builtin(subgroup_invocation_id) mate: u32, ')}
  ${times(rows * columns, (i) => `var s${i} = 0.0;`)}
  for (var k = 0u; k < ${tileDepth}u; k += 4u) {
    ${times(rows, (r) => `let a${r} = x[(row * ${rows}u + ${r}u) * ${tileDepth}u + k + mate % 4u];`)}
    ${times(4, (p) =>
      times(columns, (c) => {
        const sums = times(
          rows,
          (r) =>
            `s${r * columns + c} = fma(subgroupBroadcast(a${r}, ${p}u), b${p}_${c}, s${r * columns + c});`,
        );
        return `let b${p}_${c} = x[((k + ${p}u) * ${columns}u + ${c}u) * 8u + column];\n${sums}`;
      }),
    )}
  }
  y[lane] = ${sumOf(rows * columns, 's')};
}`,
};

export const copyKernel = `alias Element = vec4f; 
@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@compute @workgroup_size(${lanes}) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`;

export const emptyKernel = `alias Element = f32; ${head} if (lane == 0u) { y[0] = f32(stride); } _ = x[0]; }`;
