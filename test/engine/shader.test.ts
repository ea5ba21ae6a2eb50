import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { packUniform, reflect, specialize } from '../../src/engine/shader.ts';
import { affine } from './affine.ts';

const lines = (code: string) => code.split('\n').map((line) => line.trim());

describe('specialize', () => {
  test('without arguments only widens storage bindings', () => {
    const { code } = specialize(affine);
    expect(code).toBe(affine.replace('var<storage, read>', 'var<storage, read_write>'));
  });

  test('widens a storage binding that leaves its access mode out', () => {
    const { code } = specialize('@group(0) @binding(0) var<storage> x: array<f32>;');
    expect(code).toContain('var<storage, read_write> x');
  });

  test('a tuned number keeps its suffix, a tuned type is taken as it is', () => {
    const { code } = specialize(affine, { tune: { LANES: 4, Scalar: 'i32' } });
    expect(lines(code)).toContain('const LANES = 4u; // @tune');
    expect(lines(code)).toContain('alias Scalar = i32; // @tune');
  });

  test('a variant in f16 enables f16 itself', () => {
    expect(specialize(affine, { tune: { Scalar: 'f16' } }).code).toMatch(/^enable f16;\n/);
    expect(specialize(affine).code).not.toContain('enable f16');
  });

  test('a hole replaces its line, indented alike', () => {
    const { code } = specialize(affine, { holes: { body: 'value = value + 1.0;\nvalue = -value;' } });
    expect(code).toContain('\n  value = value + 1.0;\n  value = -value;\n  store_y');
  });

  test('a filled load drops the binding that it replaces', () => {
    const shader = specialize(affine, { holes: { 'load x': 'return f32(i);' } });
    expect(shader.bindings.map(({ name }) => name)).toEqual(['params', 'y']);
    expect(lines(shader.code)).toContain('return f32(i);');
    expect(shader.code).not.toContain('x[i]');
  });

  test('an empty store means that the output is not wanted: its line and its binding go', () => {
    const shader = specialize(affine, { holes: { 'store y': '' } });
    expect(shader.bindings.map(({ name }) => name)).toEqual(['params', 'x']);
    expect(shader.code).not.toContain('y[i]');
  });

  test('names the tuning or the hole that the text does not have', () => {
    expect(() => specialize(affine, { tune: { TILE: 2 } })).toThrow(ConfigError);
    expect(() => specialize(affine, { tune: { TILE: 2 } })).toThrow(/no 'TILE'.*LANES|no 'TILE'/);
    expect(() => specialize(affine, { holes: { 'load z': '' } })).toThrow(/no 'load z'.*load x/);
    expect(() => specialize(affine, { holes: { prologue: '' } })).toThrow(/no 'prologue'/);
  });

  test('equal variants have equal keys, different ones different keys', () => {
    const key = (LANES: number) => specialize(affine, { tune: { LANES } }).key;
    expect(key(2)).toBe(key(2));
    expect(key(2)).not.toBe(key(4));
  });
});

describe('reflect', () => {
  test('reads bindings in order of their numbers, with name, kind, access and type', () => {
    expect(reflect(affine).bindings).toEqual([
      { name: 'params', group: 0, binding: 0, kind: 'uniform', access: 'read', type: 'Params' },
      { name: 'x', group: 0, binding: 1, kind: 'storage', access: 'read', type: 'array<f32>' },
      { name: 'y', group: 0, binding: 2, kind: 'storage', access: 'read_write', type: 'array<f32>' },
    ]);
  });

  test('lays uniform fields out four bytes apart', () => {
    expect(reflect(affine).uniforms.params).toEqual({
      fields: [
        { name: 'size', type: 'u32', offset: 0 },
        { name: 'scale', type: 'f32', offset: 4 },
        { name: 'shift', type: 'i32', offset: 8 },
      ],
      sizeBytes: 12,
    });
  });

  test('does not see what is commented out', () => {
    const code =
      '// @group(0) @binding(0) var<storage> a: u32;\n/* @group(0) @binding(1) var<storage> b: u32; */';
    expect(reflect(code).bindings).toEqual([]);
  });

  test('refuses uniform fields that are not scalars of four bytes', () => {
    const code = 'struct P { v: vec4f }\n@group(0) @binding(0) var<uniform> p: P;';
    expect(() => reflect(code)).toThrow(/P\.v is vec4f/);
  });

  test('packs uniforms by name and type, and names what is missing or unknown', () => {
    const layout = reflect(affine).uniforms.params;
    const view = new DataView(new ArrayBuffer(16));
    packUniform(layout, { size: 2 ** 32 - 1, scale: 0.5, shift: -3 }, view, 'affine');
    expect([view.getUint32(0, true), view.getFloat32(4, true), view.getInt32(8, true)]).toEqual([
      2 ** 32 - 1,
      0.5,
      -3,
    ]);
    expect(() => packUniform(layout, { size: 1, scale: 1 }, view, 'affine')).toThrow(/affine.*'shift'/);
    expect(() => packUniform(layout, { size: 1, scale: 1, shift: 1, sift: 1 }, view, 'affine')).toThrow(
      /'sift'/,
    );
  });
});
