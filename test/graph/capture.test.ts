/** What capture promises: the same numbers as eager, no stale truth, nothing allocated in the steady state. */
import { describe, expect, it } from 'vitest';
import {
  assignAll,
  capture,
  concat,
  gather,
  gradients,
  type InitOptions,
  iota,
  oneHot,
  ones,
  random,
  StateError,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  type Variable,
  variable,
  zeros,
} from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

const numbers = (n: number, scale = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.fround(scale * Math.sin(i * 1.7 + 0.3)));

/** A two-layer network with momentum, its data, and one captured training step. */
async function network(options: InitOptions = {}) {
  const engine = await testEngine(options);
  const leaf = (data: ArrayLike<number>, shape: number[], dtype?: string) =>
    tensor(Float32Array.from(data), { shape, dtype, engine });
  const x = leaf(numbers(20 * 6), [20, 6]);
  const y = tensor(
    Int32Array.from({ length: 20 }, (_, i) => i % 3),
    { engine },
  );
  const parameters = [
    variable(leaf(numbers(6 * 7, 0.4), [6, 7]), { name: 'w1' }),
    variable(leaf(numbers(7, 0.1), [7]), { name: 'b1' }),
    variable(leaf(numbers(7 * 3, 0.5), [7, 3]), { name: 'w2' }),
    variable(leaf(numbers(3, 0.1), [3]), { name: 'b2' }),
  ];
  const slots = parameters.map((w) =>
    variable(tensor(new Float32Array(w.size), { shape: [...w.shape], engine })),
  );
  const batch = variable(tensor(0, { dtype: 'i32', engine }), { name: 'batch' });
  const stats = variable(leaf([0, 0], [2]), { name: 'stats' });
  const body = () => {
    const rows = gather(
      tensor(Int32Array.from({ length: 20 }, (_, i) => (i * 7) % 20)),
      iota(5).add(batch.mul(5)),
    );
    const [w1, b1, w2, b2] = parameters;
    const hidden = gather(x, rows).matmul(w1).add(b1).tanh();
    const dropped = hidden.mul(
      random.uniform([5, 7], { seed: 5, stream: 2, counter: batch }).greater(0.2).cast('f32'),
    );
    const logits = dropped.matmul(w2).add(b2);
    const losses = softmaxCrossEntropy(logits, oneHot(gather(y, rows), 3));
    const g = gradients(losses.mean(), parameters);
    parameters.forEach((w, i) => {
      const m = slots[i].mul(0.9).sub(g[i].mul(0.1));
      slots[i].assign(m);
      w.assign(w.add(m));
    });
    stats.assign(stats.add(concat([losses.reshape([5, 1]), ones([5, 1])], 1).sum(0)));
    batch.assign(batch.add(1).sub(batch.equal(3).cast('i32').mul(4)));
  };
  const step = capture(body, { engine, name: 'train' });
  const state = async () => {
    const all = await Promise.all([...parameters, ...slots, stats].map((v) => v.data()));
    return all.flatMap((data) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)]);
  };
  return { engine, step, state, parameters, body, stats, batch };
}

describe('a captured step', () => {
  it('F35 gives the same bits replayed, planned anew each time, without reuse of memory, and poisoned', async () => {
    const runs: number[][] = [];
    for (const debug of [{}, { noReplay: true }, { noReuse: true, poison: true }, { poison: true }]) {
      const { step, state } = await network({ debug });
      const times = debug.noReplay ? 30 : 10;
      for (let i = 0; i < 30; i += times) await step.replay(times);
      runs.push(await state());
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
    expect(runs[3]).toEqual(runs[0]);
    expect(runs[0].some((bits) => (bits & 0x7fffffff) > 0x7f800000)).toBe(false);
  });

  it('gives the same bits over three hundred steps, in submits of one and of a hundred', async () => {
    const [one, many] = [await network(), await network()];
    for (let i = 0; i < 300; i++) await one.step.replay(1);
    for (let i = 0; i < 3; i++) await many.step.replay(100);
    expect(await many.state()).toEqual(await one.state());
  });

  it('is traced once, updates all parameters in one dispatch and keeps memory flat', async () => {
    const { engine, step, stats } = await network();
    await step.replay(20);
    await stats.data();
    const before = { ...engine.stats(), ...engine.memory() };
    for (let i = 0; i < 10; i++) await step.replay(20);
    await engine.idle();
    const after = { ...engine.stats(), ...engine.memory() };
    expect(step.traces).toBe(1);
    expect(after.dispatches - before.dispatches).toBe(200 * step.dispatches);
    expect(after.submits - before.submits).toBe(10);
    expect(after.buffers).toBe(before.buffers);
    expect(after.bindGroups).toBe(before.bindGroups);
    expect(after.writes).toBe(before.writes);
    // Less is fine: what was prepared before may be collected meanwhile.
    expect(after.liveBytes).toBeLessThanOrEqual(before.liveBytes);
    const updates = step.explain().filter(({ label }) => label.startsWith('update 4 ×'));
    expect(updates).toHaveLength(1);
  });

  it('equals the same step done eagerly', async () => {
    const { step, state, body, engine } = await network();
    const eager = await network();
    for (let i = 0; i < 3; i++) {
      await step.replay();
      eager.body();
      await assignAll([]);
      await eager.state();
    }
    const view = (bits: number[]) => new Float32Array(Uint32Array.from(bits).buffer);
    const [a, b] = [view(await state()), view(await eager.state())];
    for (const [i, value] of a.entries()) expect(Math.abs(value - b[i])).toBeLessThan(1e-6);
    engine.check('test');
    void body;
  });

  it('takes arguments of several shapes, one plan each, and gives fresh results', async () => {
    const engine = await testEngine();
    const w = variable(
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { engine },
      ),
    );
    const step = capture((x: Tensor) => ({ y: x.matmul(w), sum: [x.sum()] }), { engine });
    const first = await step([[1, 1]]);
    const second = await step([[2, 2]]);
    const third = await step([
      [1, 0],
      [0, 1],
    ]);
    expect(await first.y.array()).toEqual([[4, 6]]);
    expect(await second.y.array()).toEqual([[8, 12]]);
    expect(await third.y.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await third.sum[0].item()).toBe(2);
    expect(step.traces).toBe(2);
  });

  it('sees a variable that was set between calls, also when it has moved', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2, 3], { engine }));
    const step = capture(() => w.mul(10), { engine });
    expect(await (await step()).array()).toEqual([10, 20, 30]);
    await w.assign([4, 5, 6]);
    expect(await (await step()).array()).toEqual([40, 50, 60]);
    expect(await w.array()).toEqual([4, 5, 6]);
  });

  it('is traced again when a variable it reads becomes frozen', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1], { engine }));
    const step = capture(
      () => {
        if (w.trainable) w.assign(w.add(1));
        return w.add(0);
      },
      { engine },
    );
    await step();
    w.trainable = false;
    await step();
    await step();
    expect(await w.array()).toEqual([2]);
    expect(step.traces).toBe(2);
  });

  it('swaps two variables and shifts a vector within itself', async () => {
    const engine = await testEngine();
    const make = (data: number[]): Variable => variable(tensor(data, { engine }));
    const [a, b, c] = [make([1, 2]), make([3, 4]), make([1, 2, 3, 4, 5])];
    const step = capture(
      () => {
        const old = a.add(0);
        a.assign(b);
        b.assign(old);
        c.assign(gather(c, [4, 0, 1, 2, 3]));
      },
      { engine },
    );
    await step.replay(3);
    expect(await a.array()).toEqual([3, 4]);
    expect(await b.array()).toEqual([1, 2]);
    expect(await c.array()).toEqual([3, 4, 5, 1, 2]);
  });

  it('keeps a value that was taken from a variable before the step changed it', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2], { engine }));
    const step = capture(() => w.assign(w.mul(2)) as unknown as undefined, { engine });
    const before = w.add(100);
    await (step as unknown as () => Promise<unknown>)().catch(() => {});
    await step.replay(1).catch(() => {});
    expect(await before.array()).toEqual([101, 102]);
  });

  it('refuses what it could not replay: await, reading, nesting, replay with results', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2], { engine }));
    const asynchronous = capture((async () => w.add(1)) as never, { engine });
    await expect(asynchronous()).rejects.toThrow(StateError);
    const reads = capture(
      (() => {
        w.data().catch((error) => expect(error).toBeInstanceOf(StateError));
        return w.add(1);
      }) as () => Tensor,
      { engine },
    );
    await reads();
    const results = capture(() => w.add(1), { engine });
    await expect(results.replay()).rejects.toThrow(/arguments or results/);
    expect(await w.array()).toEqual([1, 2]);
  });

  it('F34 changes nothing when the function throws', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2], { engine }));
    let fail = true;
    const step = capture(
      () => {
        w.assign(w.add(1));
        if (fail) throw new RangeError('on purpose');
      },
      { engine },
    );
    await expect(step.replay()).rejects.toThrow('on purpose');
    expect(await w.array()).toEqual([1, 2]);
    fail = false;
    await step.replay(2);
    expect(await w.array()).toEqual([3, 4]);
  });
});

describe('an eager tensor', () => {
  it('reads the value that a variable had when the tensor was made', async () => {
    const engine = await testEngine();
    const w = variable(zeros([3]).add(tensor([1, 2, 3], { engine })));
    const doubled = w.mul(2);
    await w.assign([0, 0, 0]);
    expect(await doubled.array()).toEqual([2, 4, 6]);
    expect(await w.mul(2).array()).toEqual([0, 0, 0]);
  });
});
