/** Tuning from end to end: real kernels on a real device, chosen, kept, pinned. */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { refusalOf } from '../../src/engine/foreign-tuning.ts';
import type { Tuning, TuningRecord } from '../../src/engine/tuning.ts';
import {
  ConfigError,
  capture,
  gradients,
  type InitOptions,
  init,
  tensor,
  variable,
} from '../../src/index.ts';
import { matmulFamily } from '../../src/ops/families/matmul.ts';
import { temporaryCache } from '../support/cache.ts';
import { testEngine } from '../support/engine.ts';

temporaryCache();

const numbers = (n: number, scale = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.fround(scale * Math.sin(i * 1.7 + 0.3)));

/** A step whose kernels overwrite variables in place: a product with its update melted in, and a running sum. */
async function learner(options: InitOptions, rows = 64) {
  const engine = await testEngine(options);
  const x = tensor(numbers(rows * 256), { shape: [rows, 256], engine });
  const y = tensor(numbers(rows * 96, 0.5), { shape: [rows, 96], engine });
  const w = variable(tensor(numbers(256 * 96, 0.2), { shape: [256, 96], engine }), { name: 'w' });
  const total = variable(tensor([0], { engine }), { name: 'total' });
  const heard: string[] = [];
  const step = capture(
    () => {
      const loss = x.matmul(w).sub(y).square().mean([1]);
      const [dw] = gradients(loss.mean(), [w]);
      w.assign(w.sub(dw.mul(0.05)));
      total.assign(total.add(loss.sum()));
    },
    { engine, name: 'step', onCompile: (done, all, doing) => void heard.push(`${doing} ${done}/${all}`) },
  );
  const state = async (): Promise<number[]> => [...(await w.data()), ...(await total.data())];
  return { engine, step, state, heard };
}

/** The numbers after ten steps. */
async function trained(options: InitOptions): Promise<{ engine: Engine; result: number[] }> {
  const { engine, step, state } = await learner(options);
  await step.replay(10);
  return { engine, result: await state() };
}

const full = { tuning: 'full', tuningBudgetMs: 2000 } as const;

/** A record of a training step in which every choice is another than the static one, where there is another. */
async function otherRecord(): Promise<TuningRecord> {
  const { engine } = await trained({});
  const choices = Object.entries(engine.tuning.toJSON().choices).map(([key, choice]) => {
    const other = matmulFamily.candidates!(engine.profile).find(
      ({ tuning, refused }) => refused === null && JSON.stringify(tuning) !== JSON.stringify(choice.tuning),
    );
    return [key, key.startsWith('matmul') ? { tuning: other!.tuning } : choice] as const;
  });
  return { ...engine.tuning.toJSON(), choices: Object.fromEntries(choices) };
}

describe("tuning: 'full'", () => {
  test('measures before the first step and changes no variable by it', async () => {
    const { step, state, heard, engine } = await learner(full);
    const before = await state();
    await step.prepare();
    expect(await state()).toEqual(before);
    const choices = engine.tuning.choices();
    expect(choices.some(({ from }) => from === 'measured')).toBe(true);
    expect(heard[0]).toMatch(/^measuring 0\/[1-9]/);
    for (const { key, microseconds, from } of choices)
      if (from === 'measured') expect(microseconds, key).toBeGreaterThanOrEqual(0);
    await step.replay(1);
    expect(await state()).not.toEqual(before);
  });

  test('leaves no scratch memory behind', async () => {
    const { step, engine } = await learner(full, 72); // shapes that no other test has measured
    const scratch = new Set<unknown>();
    let taken = 0;
    const { allocate, free } = engine;
    engine.allocate = (size, label) => {
      const range = allocate.call(engine, size, label);
      if (label === 'tuning') {
        scratch.add(range);
        taken++;
      }
      return range;
    };
    engine.free = (range) => {
      scratch.delete(range);
      free.call(engine, range);
    };
    await step.prepare();
    expect(taken).toBeGreaterThan(0);
    expect(scratch.size).toBe(0);
  });

  test('costs nothing in the steady state', async () => {
    const { step, engine } = await learner(full);
    await step.replay(5);
    const before = engine.stats();
    await step.replay(20);
    const after = engine.stats();
    expect(after).toEqual({
      ...before,
      dispatches: before.dispatches + 20 * step.dispatches,
      submits: before.submits + 1,
    });
  });

  test('is told by explain, and found again by the next program', async () => {
    const { step, engine } = await learner(full);
    await step.prepare();
    const timed = step.explain().flatMap(({ tuning }) => (tuning?.microseconds === undefined ? [] : tuning));
    expect(timed.length).toBeGreaterThan(0);
    const again = await learner({ tuning: 'cached' });
    await again.step.prepare();
    const known = again.engine.tuning.choices().filter(({ from }) => from === 'cached');
    expect(known.length).toBe(timed.length);
    for (const choice of known) {
      const { from: _, ...made } = engine.tuning.choices().find(({ key }) => key === choice.key)!;
      expect(choice).toMatchObject(made);
    }
  });

  test('gives, with the record that it made, the same bits in another engine', async () => {
    const first = await trained(full);
    const record = JSON.parse(JSON.stringify(first.engine.tuning));
    const second = await trained({ tuning: record });
    expect(second.result).toEqual(first.result);
    expect(second.engine.tuning.choices().every(({ from }) => from === 'pinned')).toBe(true);
  });
});

describe('a pinned record', () => {
  test('is obeyed, and other choices differ in the last bits at most', async () => {
    const record = await otherRecord();
    const { step, engine, state } = await learner({ tuning: record });
    await step.replay(10);
    for (const { key, tuning } of engine.tuning.choices()) expect(tuning).toEqual(record.choices[key].tuning);
    const chosen = step.explain().filter(({ tuning }) => tuning?.from === 'pinned');
    expect(chosen.length).toBeGreaterThanOrEqual(2);
    for (const { tuning, constants } of chosen) {
      const { shader: _, ...values } = tuning!.tuning;
      expect(constants).toMatchObject(values);
    }
    const plain = await trained({});
    const result = await state();
    for (const [i, value] of plain.result.entries())
      expect(Math.abs(result[i] - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)));
  });

  test('gives the same bits every time', async () => {
    const record = await otherRecord();
    const [one, two] = [await trained({ tuning: record }), await trained({ tuning: record })];
    expect(one.result).toEqual(two.result);
  });

  test('that pins what is no variant is an error with the kernel’s key', async () => {
    const record = await otherRecord();
    const [key] = Object.keys(record.choices).filter((name) => name.startsWith('matmul'));
    const wrong = { ...record, choices: { [key]: { tuning: { shader: 'matmul', TILE_M: 3 } } } };
    const { step } = await learner({ tuning: wrong });
    await expect(step.prepare()).rejects.toThrow(/matmul a:f32\[64,256\].*no variant of matmul/);
  });
});

test('an engine hears of the waits of all its steps', async () => {
  const hear = async (options: InitOptions): Promise<Set<string>> => {
    const heard = new Set<string>();
    const engine = await testEngine({ ...options, onCompile: (_done, _total, doing) => heard.add(doing) });
    const x = tensor(numbers(64 * 128), { shape: [64, 128], engine });
    const y = tensor(numbers(128 * 50), { shape: [128, 50], engine });
    await capture(() => x.matmul(y), { engine }).prepare();
    // Only llvmpipe compiles at the first dispatch; what was measured is compiled.
    if (engine.profile.backendName !== 'llvmpipe') heard.add('compiling');
    return heard;
  };
  expect(await hear({})).toEqual(new Set(['compiling']));
  expect((await hear(full)).has('measuring')).toBe(true);
});

test.each(['fast', null, { matmul: 3 }])(
  'init refuses tuning: %j before it asks for a device',
  async (tuning) => {
    const gpu = { requestAdapter: () => Promise.reject(new Error('nobody should ask')) } as unknown as GPU;
    await expect(init({ gpu, tuning: tuning as never })).rejects.toThrow(ConfigError);
  },
);

test('keys are words: family, shapes, flags, and a fingerprint of what melted in', async () => {
  const { step, engine } = await learner({});
  await step.prepare();
  for (const { key } of engine.tuning.choices())
    expect(key).toMatch(/^\w+ (\w+:\w+\[[\d,]*\] )+→ (\w+:\w+\[[\d,]*\] )+(\w+(=\S+)? )*#[0-9a-f]{8}$/);
  const again = await learner({});
  await again.step.prepare();
  expect(again.engine.tuning.choices()).toEqual(engine.tuning.choices());
});

test('a record from elsewhere is taken where the device can run it, and refused with the reason where not', async () => {
  const { engine, step } = await learner({});
  await step.prepare();
  const { profile } = engine;
  const call = {
    inputs: { a: { shape: [64, 256], dtype: 'f32' }, b: { shape: [256, 96], dtype: 'f32' } },
    outputs: { y: { shape: [64, 96], dtype: 'f32' } },
    attributes: {},
    tuning: {},
  } as const;
  const refuse = (tuning: Tuning, min: number) => {
    const here = { ...profile, subgroups: { min, max: min } };
    return refusalOf(
      {
        family: 'matmul',
        standard: {},
        candidates: () => matmulFamily.candidates!(here, { ...call, profile: here }),
        catalogue: () => matmulFamily.candidates!(here),
        refusal: (one) => matmulFamily.refusal!(here, one),
      },
      tuning,
    );
  };
  const shared = { shader: 'matmul_subgroup', TILE_P: 7, TILE_Q: 1, LANES: 8, WIDTH: 8, SWAP: true };
  expect(refuse(shared, 8)).toBeNull();
  expect(refuse(shared, 4)).toBe('8 lanes that share loads, subgroups here may have 4');
  for (const strange of [
    { ...shared, shader: 'matmul_other' },
    { ...shared, TILE_P: '7u; } fn main() {' },
    { ...shared, TILE_P: 7.5 },
    { ...shared, TILE_P: 1e9 },
    { ...shared, EXTRA: 1 },
    { shader: 'matmul_subgroup' },
  ])
    expect(refuse(strange, 8)).toBe('no variant of matmul');
});

test('what cannot run on a device is refused with a reason', async () => {
  const { profile } = await testEngine();
  const poor = {
    ...profile,
    subgroups: null,
    limits: { ...profile.limits, maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 16 },
  };
  const reasons = matmulFamily.candidates!(poor).flatMap(({ refused }) => refused ?? []);
  expect(reasons.join('; ')).toMatch(/\d+ lanes per workgroup, the device has 128/);
  expect(reasons.join('; ')).toMatch(/bytes of workgroup memory, the device has 16/);
  expect(reasons.join('; ')).toMatch(/subgroups/);
  expect(matmulFamily.candidates!(poor).some(({ refused }) => refused === null)).toBe(true);
});
