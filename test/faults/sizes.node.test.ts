/** F08 and F09: tensors beyond one dimension of workgroups, and beyond what a binding or a buffer may hold. */
import { describe, expect, test } from 'vitest';
import { fill, matmul, relu, sum, tensor, WeftError } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

const MiB = 2 ** 20;
describe('F08 more elements than 65,535 workgroups of 256 cover', () => {
  test('relu of 20,000,000 numbers is right at its ends and in between', async () => {
    const engine = await testEngine();
    const size = 20_000_000;
    const data = new Float32Array(size);
    for (let i = 0; i < size; i++) data[i] = (i % 1001) - 500;
    const x = tensor(data, { engine });
    const y = relu(x);
    const values = await y.data();
    for (const i of [0, 1, 501, size / 2, size - 2, size - 1, 16_776_959, 16_776_960, 16_776_961, 16_777_216])
      expect(values[i], `element ${i}`).toBe(Math.max(0, data[i]));
    let wrong = 0;
    for (let i = 0; i < size; i++) if (values[i] !== Math.max(0, data[i])) wrong++;
    expect(wrong).toBe(0);
    x.dispose();
    y.dispose();
  });

  test('a sum over rows of more rows than workgroups', async () => {
    const engine = await testEngine();
    const rows = 70_000;
    const x = tensor(
      Float32Array.from({ length: rows * 3 }, (_, i) => i % 7),
      { shape: [rows, 3], engine },
    );
    const values = await sum(x, 1).data();
    for (const row of [0, 65_534, 65_535, 65_536, rows - 1])
      expect(values[row]).toBe([0, 1, 2].reduce((total, column) => total + ((row * 3 + column) % 7), 0));
  });
});

describe('F09 more bytes than the device allows', () => {
  test('a tensor over the binding limit works in pieces or is refused with both numbers', async () => {
    const engine = await testEngine({ limits: { maxStorageBufferBindingSize: 128 * MiB } });
    const data = new Float32Array(40_000_000).fill(1);
    const outcome = await relu(tensor(data, { engine }))
      .data()
      .catch((error: unknown) => error);
    if (outcome instanceof WeftError) {
      expect(outcome.code).toBe('LIMIT');
      expect(outcome.message).toMatch(/160[,_ ]?000[,_ ]?000|152\.6 MiB/);
      expect(outcome.message).toMatch(/134[,_ ]?217[,_ ]?728|128 MiB/);
    } else expect((outcome as Float32Array)[39_999_999]).toBe(1);
    expect(await sum(tensor([1, 2], { engine })).item()).toBe(3);
  });

  test('5 GB are refused before anything is allocated', async () => {
    const engine = await testEngine();
    const before = engine.memory();
    const huge = fill([1280, 1024, 1024], 1);
    const outcome = await huge
      .add(tensor([1], { engine }))
      .data()
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(WeftError);
    expect((outcome as WeftError).code).toBe('LIMIT');
    expect((outcome as WeftError).message).toMatch(/5[,_ ]?368[,_ ]?709[,_ ]?120|5 GiB/);
    expect(engine.memory().allocatedBytes - before.allocatedBytes).toBeLessThan(MiB);
    expect(await sum(tensor([1, 2], { engine })).item()).toBe(3);
  });

  test('a product whose intermediate is too large is refused, not half done', async () => {
    const engine = await testEngine({ limits: { maxStorageBufferBindingSize: 128 * MiB } });
    const a = tensor(new Float32Array(8192), { shape: [8192, 1], engine });
    const outcome = await sum(matmul(a, a, { transposeB: true }).relu().matmul(a))
      .data()
      .catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'LIMIT' });
    else expect([...(outcome as Float32Array)]).toEqual([0]);
  });
});
