import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  DeviceLostError,
  DisposedError,
  GpuError,
  KernelError,
  LimitError,
  OutOfMemoryError,
  UnsupportedError,
} from '../../src/base/errors.ts';
import type { BufferRange } from '../../src/engine/arena.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Command } from '../../src/engine/recorder.ts';
import { specialize } from '../../src/engine/shader.ts';
import { sharedEngine, testEngine } from '../support/engine.ts';
import { takeGpuErrors } from '../support/gpu-errors.ts';
import { affine } from './affine.ts';

const shader = specialize(affine);

function affineCommand(x: BufferRange, y: BufferRange, scale = 2, shift = 1): Command {
  const size = x.size / 4;
  return {
    label: 'affine',
    shader,
    constants: { WORKGROUP: 32 },
    bindings: { x, y },
    uniforms: { params: { size, scale, shift } },
    workgroups: [Math.ceil(size / 32), 1, 1],
  };
}

const floats = async (engine: Engine, range: BufferRange) => [...new Float32Array(await engine.read(range))];

function upload(engine: Engine, values: number[], label = 'x'): BufferRange {
  const range = engine.allocate(4 * values.length, label);
  engine.write(range, Float32Array.from(values));
  return range;
}

describe('memory', () => {
  test('what is written is read back, at any length in bytes', async () => {
    const engine = await sharedEngine();
    for (const length of [1, 2, 3, 4, 5, 255, 256, 257, 1001]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + 1) % 256);
      const range = engine.allocate(length, 'bytes');
      engine.write(range, bytes);
      expect([...new Uint8Array(await engine.read(range))]).toEqual([...bytes]);
      engine.free(range);
    }
  });

  test('writes at an offset leave the rest as it was', async () => {
    const engine = await sharedEngine();
    const range = upload(engine, [1, 2, 3, 4]);
    engine.write(range, Float32Array.of(9), 8);
    expect(await floats(engine, range)).toEqual([1, 2, 9, 4]);
    expect(() => engine.write(range, Float32Array.of(1, 2), 12)).toThrow(/8 bytes at 12 do not fit/);
    engine.free(range);
  });

  test('an empty range can be allocated, written, read and freed', async () => {
    const engine = await sharedEngine();
    const range = engine.allocate(0, 'empty');
    engine.write(range, new Float32Array(0));
    expect((await engine.read(range)).byteLength).toBe(0);
    engine.free(range);
  });

  test('copies work between blocks and inside one', async () => {
    const engine = await testEngine();
    const a = upload(engine, [1, 2, 3]);
    const b = engine.allocate(12, 'b');
    engine.copy(a, b);
    expect(await floats(engine, b)).toEqual([1, 2, 3]);
    const large = engine.allocate(12 << 20, 'large');
    const half = { ...large, offset: 6 << 20, size: 6 << 20 };
    const values = Uint32Array.from({ length: (6 << 20) / 4 }, (_, i) => i);
    engine.write(large, values);
    engine.copy({ ...large, size: 6 << 20 }, half);
    const copied = new Uint32Array(await engine.read(half));
    expect(copied.findIndex((value, i) => value !== i)).toBe(-1);
    expect(() => engine.copy(a, { ...b, size: 8 })).toThrow(/differ in size: 12 and 8/);
  });

  test('a thousand reads in flight all get their own values', async () => {
    const engine = await testEngine();
    const ranges = Array.from({ length: 1000 }, (_, i) => upload(engine, [i, -i]));
    const reads = ranges.map((range) => floats(engine, range));
    for (const range of ranges) engine.free(range);
    expect(await Promise.all(reads)).toEqual(ranges.map((_, i) => [i, -i]));
    expect(engine.memory().liveBytes).toBe(0);
  });

  test('F36 two reads of one range at once get the same values, and freeing it does not disturb them', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const range = upload(engine, [1, 2, 3]);
    const reads = [floats(engine, range), floats(engine, range)];
    engine.free(range);
    expect(await Promise.all(reads)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('F35 poison fills freed memory with NaN', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const range = upload(engine, [1, 2, 3]);
    engine.free(range);
    expect(await floats(engine, range)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('allocated bytes stay flat over a thousand rounds of allocate, write, read and free', async () => {
    const engine = await testEngine();
    const round = async () => {
      const range = upload(engine, [1, 2, 3]);
      await engine.read(range);
      engine.free(range);
    };
    await round();
    const before = engine.memory();
    for (let i = 0; i < 1000; i++) await round();
    expect(engine.memory()).toEqual(before);
  });

  test('F29 maxBytes is kept: OutOfMemoryError, nothing lost, a smaller request works', async () => {
    const engine = await testEngine({ maxBytes: 64 << 20 });
    const range = upload(engine, [1, 2, 3]);
    const before = engine.memory();
    expect(() => engine.allocate(64 << 20, 'too much')).toThrow(OutOfMemoryError);
    expect(engine.memory()).toEqual(before);
    engine.free(engine.allocate(32 << 20, 'fits'));
    expect(await floats(engine, range)).toEqual([1, 2, 3]);
  });
});

describe('recordings', () => {
  test('a kernel computes what it says', async () => {
    const engine = await sharedEngine();
    const x = upload(engine, [1, 2, 3]);
    const y = engine.allocate(12, 'y');
    const recording = await engine.record([affineCommand(x, y)], 'test');
    engine.run(recording);
    expect(await floats(engine, y)).toEqual([3, 5, 7]);
    recording.dispose();
    expect(() => engine.run(recording)).toThrow(DisposedError);
  });

  test('replays run in order, several in one submit, then the copies', async () => {
    const engine = await testEngine();
    const x = upload(engine, [1, 2, 3]);
    const y = engine.allocate(12, 'y');
    const kept = engine.allocate(12, 'kept');
    const recording = await engine.record([affineCommand(x, y), affineCommand(y, x, 1, 0)], 'test');
    const before = engine.stats();
    engine.run(recording, { times: 3, copies: [{ from: x, to: kept }] });
    const after = engine.stats();
    expect(after.submits - before.submits).toBe(1);
    expect(after.dispatches - before.dispatches).toBe(6);
    expect(await floats(engine, kept)).toEqual([15, 23, 31]);
  });

  test('the steady state makes no bind groups, no buffers and no writes', async () => {
    const engine = await testEngine();
    const recording = await engine.record(
      [affineCommand(upload(engine, [1]), engine.allocate(4, 'y'))],
      'test',
    );
    engine.run(recording);
    const before = engine.stats();
    for (let i = 0; i < 20; i++) engine.run(recording, { times: 10 });
    const after = engine.stats();
    expect(after).toEqual({ ...before, submits: before.submits + 20, dispatches: before.dispatches + 200 });
    await engine.idle();
  });

  test('equal kernels compile once, other constants compile again', async () => {
    const engine = await testEngine();
    const command = affineCommand(upload(engine, [1]), engine.allocate(4, 'y'));
    await engine.record([command, command], 'a');
    await engine.record([command], 'b');
    expect(engine.stats().pipelines).toBe(1);
    await engine.record([{ ...command, constants: { WORKGROUP: 64 } }], 'c');
    expect(engine.stats().pipelines).toBe(2);
  });

  test('a command with no workgroups is skipped', async () => {
    const engine = await testEngine();
    const [x, y] = [engine.allocate(0, 'x'), engine.allocate(0, 'y')];
    const recording = await engine.record([affineCommand(x, y)], 'empty');
    engine.run(recording);
    expect(engine.stats()).toMatchObject({ dispatches: 0, submits: 0, pipelines: 0 });
  });

  test('recordings follow the step arena when it grows', async () => {
    const engine = await testEngine();
    const x = upload(engine, [1, 2, 3]);
    const step = { buffer: engine.stepArena(512), offset: 256, size: 12 };
    const recording = await engine.record([affineCommand(x, step)], 'test');
    engine.run(recording);
    engine.run(recording);
    expect(engine.stats().bindGroups).toBe(1);
    engine.stepArena(1 << 20);
    engine.run(recording);
    expect(engine.stats().bindGroups).toBe(2);
    expect(await floats(engine, step)).toEqual([3, 5, 7]);
  });

  test('poison fills the step arena before every run', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const step = { buffer: engine.stepArena(512), offset: 0, size: 12 };
    const y = engine.allocate(12, 'y');
    const recording = await engine.record([affineCommand(step, y)], 'test');
    engine.run(recording);
    expect(await floats(engine, y)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('each command is timed under its label', async () => {
    const engine = await testEngine();
    const command = affineCommand(upload(engine, [1]), engine.allocate(4, 'y'));
    const recording = await engine.record([command, { ...command, label: 'affine.again' }], 'test');
    const times = await engine.profileRun(recording);
    expect(times.map(({ label }) => label)).toEqual(['affine', 'affine.again']);
    for (const { microseconds } of times) expect(microseconds).toBeGreaterThanOrEqual(0);
  });

  test('commands are timed by the clock where there are no timestamps', async () => {
    const engine = await testEngine({ features: [] });
    const command = affineCommand(upload(engine, [1]), engine.allocate(4, 'y'));
    const [time] = await engine.profileRun(await engine.record([command], 'test'));
    expect(time.label).toBe('affine');
    expect(time.microseconds).toBeGreaterThan(0);
  });
});

describe('mistakes in a command are told before any GPU work', () => {
  test('a binding that is missing, unknown or too many', async () => {
    const engine = await sharedEngine();
    const command = affineCommand(engine.allocate(4, 'x'), engine.allocate(4, 'y'));
    const { x } = command.bindings;
    await expect(engine.record([{ ...command, bindings: { x } }], 't')).rejects.toThrow(
      /'affine': bindings: 'y' missing/,
    );
    const extra = { ...command.bindings, z: x };
    await expect(engine.record([{ ...command, bindings: extra }], 't')).rejects.toThrow(/'z' unknown/);
    await expect(engine.record([{ ...command, uniforms: {} }], 't')).rejects.toThrow(ConfigError);
  });

  test('more workgroups, storage buffers or bytes than the device has', async () => {
    const engine = await sharedEngine();
    const command = affineCommand(engine.allocate(4, 'x'), engine.allocate(4, 'y'));
    await expect(engine.record([{ ...command, workgroups: [65_536, 1, 1] }], 't')).rejects.toThrow(
      LimitError,
    );
    const small = await testEngine({ limits: { maxStorageBuffersPerShaderStage: 1 } });
    const { bindings } = affineCommand(small.allocate(4, 'x'), small.allocate(4, 'y'));
    await expect(small.record([{ ...command, bindings }], 't')).rejects.toThrow(
      /storage buffers: 2.*at most 1/,
    );
  });

  test('F30 a kernel that does not compile: KernelError with its name, the line and the message', async () => {
    const engine = await sharedEngine();
    const command = affineCommand(engine.allocate(4, 'x'), engine.allocate(4, 'y'));
    const broken = specialize(affine.replace('* params.scale', '* parms.scale'));
    const error = await engine.record([{ ...command, shader: broken }], 't').catch((e) => e);
    expect(error).toBeInstanceOf(KernelError);
    expect(error.message).toMatch(/kernel 'affine'.*line 31:\d+: unresolved value 'parms'/);
    expect(error.message).toMatch(/>\s+31 \|\s+var value = f32\(Scalar\(load_x\(i\) \* parms\.scale/);
    // Nothing is half-made: the right kernel works afterwards.
    await engine.record([command], 't');
  });

  test('a constant that the shader does not declare', async () => {
    const engine = await sharedEngine();
    const command = affineCommand(engine.allocate(4, 'x'), engine.allocate(4, 'y'));
    await expect(engine.record([{ ...command, constants: { WORKGRUOP: 8 } }], 't')).rejects.toThrow(
      /WORKGRUOP/,
    );
  });
});

describe('a device', () => {
  test('gives its limits, and the user may lower them', async () => {
    const engine = await testEngine({ limits: { maxComputeInvocationsPerWorkgroup: 128 }, features: [] });
    expect(engine.profile.limits.maxComputeInvocationsPerWorkgroup).toBe(128);
    expect(engine.profile).toMatchObject({ subgroups: null, f16: false });
    expect(engine.profile.features.has('timestamp-query')).toBe(false);
  });

  test('is never asked for more than the adapter has', async () => {
    const engine = await testEngine({ limits: { maxBufferSize: 2 ** 50 } });
    expect(engine.profile.limits.maxBufferSize).toBeLessThan(2 ** 50);
  });

  test('is not asked for limits or options that do not exist', async () => {
    await expect(Engine.create({ limits: { maxMagic: 1 } })).rejects.toThrow(/limits\.maxMagic/);
    await expect(Engine.create({ seed: 1.5 })).rejects.toThrow(/seed is 1\.5/);
    await expect(Engine.create({ maxBytes: -1 })).rejects.toThrow(/maxBytes is -1/);
    await expect(Engine.create({ sede: 1 } as object)).rejects.toThrow(/"sede" is unknown.*seed/);
  });

  test('F23 no adapter is an UnsupportedError that says what to do', async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    await expect(Engine.create({ gpu })).rejects.toThrow(UnsupportedError);
    await expect(Engine.create({ gpu })).rejects.toThrow(/requestAdapter gave null.*Fix: /);
    const broken = { requestAdapter: async () => Promise.reject(new Error('boom')) } as unknown as GPU;
    await expect(Engine.create({ gpu: broken })).rejects.toThrow(/requestAdapter failed: boom/);
  });

  test('F24 works at the limits and features that WebGPU guarantees', async () => {
    const limits = {
      maxBufferSize: 2 ** 28,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
      maxStorageBufferBindingSize: 2 ** 27,
      maxStorageBuffersPerShaderStage: 8,
    };
    const engine = await testEngine({ features: [], limits });
    expect(engine.profile.limits).toMatchObject(limits);
    const x = upload(engine, [1, 2, 3]);
    const y = engine.allocate(12, 'y');
    engine.run(await engine.record([affineCommand(x, y)], 'test'));
    expect(await floats(engine, y)).toEqual([3, 5, 7]);
  });

  test('F31 an error that no call could report rejects the next read', async () => {
    const engine = await testEngine();
    const x = upload(engine, [1]);
    engine.device.createBuffer({ size: 4, usage: 0 });
    await expect(engine.read(x)).rejects.toThrow(GpuError);
    expect(takeGpuErrors()).toHaveLength(1);
    expect(await floats(engine, x)).toEqual([1]);
  });
});

describe('losing the device', () => {
  test('F25 rejects a pending read within a second, and nothing is returned', async () => {
    const engine = await testEngine();
    const reads = [1, 2, 3].map((i) => engine.read(upload(engine, [i])));
    // The work itself may have been done before the loss: then idle() resolved rightly.
    const idle = engine.idle().catch((error) => expect(error).toBeInstanceOf(DeviceLostError));
    const start = performance.now();
    engine.device.destroy();
    for (const read of reads) await expect(read).rejects.toThrow(DeviceLostError);
    await idle;
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('F26 every later call says so at once', async () => {
    const engine = await testEngine();
    const x = upload(engine, [1]);
    const y = engine.allocate(4, 'y');
    const recording = await engine.record([affineCommand(x, y)], 'test');
    engine.device.destroy();
    await engine.device.lost;
    expect(engine.lost).toBeInstanceOf(DeviceLostError);
    expect(() => engine.check('x')).toThrow(/x: the GPU device was lost \(destroyed\)/);
    expect(() => engine.allocate(4, 'x')).toThrow(DeviceLostError);
    expect(() => engine.write(x, Float32Array.of(1))).toThrow(DeviceLostError);
    expect(() => engine.copy(x, y)).toThrow(DeviceLostError);
    expect(() => engine.run(recording)).toThrow(DeviceLostError);
    expect(() => engine.stepArena(4)).toThrow(DeviceLostError);
    await expect(engine.read(x)).rejects.toThrow(DeviceLostError);
    await expect(engine.idle()).rejects.toThrow(DeviceLostError);
    await expect(engine.record([], 'x')).rejects.toThrow(DeviceLostError);
    await expect(engine.profileRun(recording)).rejects.toThrow(DeviceLostError);
    engine.free(x);
    recording.dispose();
  });

  test('at any of fifty moments, a loop of runs and reads ends with DeviceLostError', async () => {
    for (let i = 0; i < 50; i++) {
      const engine = await testEngine();
      const x = upload(engine, [1]);
      const y = engine.allocate(4, 'y');
      setTimeout(() => engine.device.destroy(), i % 25);
      const loop = async () => {
        for (;;) {
          const recording = await engine.record([affineCommand(x, y)], 'test');
          engine.run(recording);
          expect(await floats(engine, y)).toEqual([3]);
          await engine.idle();
        }
      };
      await expect(loop()).rejects.toThrow(DeviceLostError);
    }
  });

  test('F28 leaves the other engines alone, and a new one works', async () => {
    const [first, second] = await Promise.all([testEngine(), testEngine()]);
    const x = upload(second, [1, 2]);
    first.device.destroy();
    await first.device.lost;
    expect(await floats(second, x)).toEqual([1, 2]);
    const third = await testEngine();
    expect(await floats(third, upload(third, [5]))).toEqual([5]);
  });
});

describe('closing', () => {
  test('waits for pending reads, and every later call throws DisposedError', async () => {
    const engine = await testEngine();
    const x = upload(engine, [1, 2, 3]);
    const read = floats(engine, x);
    await engine.close();
    expect(await read).toEqual([1, 2, 3]);
    expect(engine.closed).toBe(true);
    expect(engine.lost).toBeInstanceOf(DisposedError);
    expect(() => engine.allocate(4, 'x')).toThrow(DisposedError);
    await expect(engine.read(x)).rejects.toThrow(DisposedError);
    await engine.close();
    engine.free(x);
  });
});
