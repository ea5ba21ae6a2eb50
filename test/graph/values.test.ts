/** What a value means when variables change, memory is used again and calls are not awaited. */
import { describe, expect, it } from 'vitest';
import {
  capture,
  defaultEngine,
  gradients,
  init,
  ones,
  type Tensor,
  tensor,
  type Variable,
  variable,
  zeros,
} from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

describe('an expression of a variable', () => {
  it('reads the value at the time it was made, in a step as outside, also where it simplifies to the variable', async () => {
    const engine = await testEngine();
    const make = () => variable(tensor([1, 2, 3], { engine }));
    const expressions = (w: Variable) => [
      w.mul(1),
      w.reshape([3]),
      w.slice([0]),
      w.transpose(),
      w.broadcastTo([3]),
      w.pad([[0, 0]]),
      w.cast('f32'),
      w.expandDims().squeeze(),
      gradients(w.mul([1, 2, 3]).sum(), [w])[0]
        .mul(0)
        .add(w),
    ];
    const eager = make();
    const outside = expressions(eager);
    void eager.assign([10, 20, 30]);
    for (const x of outside) expect(await numbers(x)).toEqual([1, 2, 3]);

    const w = make();
    const step = capture(
      () => {
        const before = expressions(w);
        const [dx] = gradients(ones([3]).mul(w).mul([2, 2, 2]).sum(), [w]);
        w.assign(w.mul(10));
        return { before, dx, after: w };
      },
      { engine },
    );
    for (const scale of [1, 10]) {
      const { before, after } = await step();
      for (const x of before) expect(await numbers(x)).toEqual([1, 2, 3].map((v) => v * scale));
      expect(await numbers(after as Tensor)).toEqual([10, 20, 30].map((v) => v * scale));
    }
  });

  it('has no gradient through what was assigned, whether that is computed, waiting or in a step', async () => {
    const engine = await testEngine();
    for (const mode of ['awaited', 'waiting', 'captured']) {
      const w = variable(tensor([4], { engine }));
      const t = variable(tensor([0], { engine }));
      const target = () => t.assign(t.mul(0.5).add(w.mul(0.5)));
      const loss = () => gradients(w.sub(t).square().sum(), [w]);
      if (mode === 'captured') {
        const step = capture(
          () => {
            target();
            return loss();
          },
          { engine },
        );
        expect(await numbers((await step())[0])).toEqual([4]);
      } else {
        const done = target();
        if (mode === 'awaited') await done;
        expect(await numbers(loss()[0])).toEqual([4]);
        // A variable that is reached by the assignment alone is not reached.
        expect(() => gradients(t.square().sum(), [w])).toThrow(/no differentiable path/);
      }
    }
  });
});

describe('a result that is a view of another', () => {
  it('is right beside it, when both are returned and their memory is used again', async () => {
    const engine = await testEngine();
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
      { shape: [2, 4, 3], engine },
    );
    const w = variable(
      tensor(
        Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
        { shape: [3, 4], engine },
      ),
    );
    const step = capture(
      (input: Tensor) => {
        const logits = input.matmul(w);
        const flat = logits.reshape([8, 4]);
        const noise = logits.tanh().matmul(w, { transposeB: true }).exp().sum();
        return {
          logits,
          flat,
          p: logits.softmax(),
          q: flat.softmax(),
          top: flat.max(-1),
          noise,
          sums: [flat.sum(0)],
        };
      },
      { engine },
    );
    const { logits, flat, p, q, top, sums } = await step(x);
    const l = await numbers(logits);
    const by = (f: (row: number[]) => number[]) =>
      Array.from({ length: 8 }, (_, i) => f(l.slice(4 * i, 4 * i + 4))).flat();
    const softmax = (row: number[]) => {
      const e = row.map(Math.exp);
      const total = e.reduce((a, b) => a + b);
      return e.map((one) => one / total);
    };
    const close = async (got: Tensor, right: number[]) => {
      const data = await numbers(got);
      expect(data).toHaveLength(right.length);
      for (const [i, value] of data.entries()) expect(value).toBeCloseTo(right[i], 5);
    };
    await close(flat, l);
    await close(p, by(softmax));
    await close(q, by(softmax));
    await close(
      top,
      by((row) => [Math.max(...row)]),
    );
    await close(
      sums[0],
      [0, 1, 2, 3].map((j) => l.filter((_, i) => i % 4 === j).reduce((a, b) => a + b)),
    );
  });
});

describe('calls that are not awaited', () => {
  it('take effect in their order: steps, assignments, reads and arguments', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1], { engine }));
    const add = capture(
      (x: Tensor) => {
        w.assign(w.add(x));
        return w;
      },
      { engine },
    );
    const a = add([1]); // 2
    const b = add(w); // 4
    const late = w.mul(100);
    void w.assign([7]);
    const c = add([1]); // 8
    const read = w.data();
    void w.assign(w.mul(2)); // 16
    const d = add(w); // 32
    const results = (await Promise.all([a, b, c, d])) as Tensor[];
    expect(await Promise.all(results.map((x) => x.item()))).toEqual([2, 4, 8, 32]);
    expect([...(await read)]).toEqual([8]);
    expect(await late.item()).toBe(400);
    expect(await w.item()).toBe(32);
  });

  it('keep their order before the default engine is open', async () => {
    const opening = init({ seed: 3 });
    const w = variable([1]);
    const add = capture((x: Tensor) => void w.assign(w.mul(2).add(x)));
    const calls = [add([1]), add([2])];
    const value = w.data();
    void w.assign(w.add(1));
    calls.push(add([3]));
    await Promise.all(calls);
    expect([...(await value)]).toEqual([8]);
    expect(await w.item()).toBe(21);
    expect(await defaultEngine()).toBe(await opening);
    await (await opening).close();
  });

  it('let timers be heard, however many there are', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1], { engine }));
    const step = capture(() => void w.assign(w.add(1)), { engine });
    let heard = 0;
    const timer = setInterval(() => heard++, 1);
    for (let i = 0; i < 200; i++) await step();
    expect(heard).toBeGreaterThan(0);
    const before = heard;
    for (let i = 0; i < 200; i++) await w.assign(w.add(1));
    expect(heard).toBeGreaterThan(before);
    clearInterval(timer);
    expect(await w.item()).toBe(401);
  });

  it('are as if they had not been made when they fail', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2], { engine }));
    const grow = capture(
      (x: Tensor) => {
        w.assign(w.add(x));
        return w.sum();
      },
      { engine },
    );
    await grow([1, 1]);
    const gone = tensor([5, 5], { engine });
    const bad = gone.mul(2);
    await gone.data();
    gone.dispose();
    const failing = grow(bad);
    const doubled = w.mul(2);
    const working = grow([10, 10]);
    await expect(failing).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(await (await working).item()).toBe(25);
    expect(await numbers(doubled)).toEqual([4, 6]);
    expect(await numbers(w)).toEqual([12, 13]);
  });

  it('still get what was disposed of after them', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const x = tensor([1, 2, 3], { engine });
    await x.data();
    await x.add(0).data();
    const double = x.mul(2).data();
    const w = variable(tensor([1, 1, 1], { engine }));
    const step = capture((y: Tensor) => w.add(y), { engine });
    const call = step(x);
    x.dispose();
    w.dispose();
    expect([...(await double)]).toEqual([2, 4, 6]);
    expect(await numbers(await call)).toEqual([2, 3, 4]);
    expect(() => x.mul(1)).toThrow(/disposed/);
  });
});

describe('memory', () => {
  it('is not given back while a value in it can be read, when variables move or are disposed of', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const make = (value: number) => variable(tensor([value, value, value], { engine }).add(0));
    const v = [1, 2, 3, 4].map(make);
    const halve = (all: Variable[]) =>
      capture(
        () => {
          for (const x of all) x.assign(x.mul(0.5));
        },
        { engine },
      );
    await halve(v).replay();
    const late = v.map((x) => x.mul(4));
    v[1].dispose();
    const other = make(9);
    await halve([v[0], v[2], v[3], other]).replay();
    const keep: Tensor[] = [];
    for (let i = 0; i < 10; i++) {
      const x = tensor([100 + i, 100 + i, 100 + i], { engine }).add(1);
      await x.data();
      keep.push(x);
    }
    for (const [i, x] of late.entries()) expect(await numbers(x)).toEqual(Array(3).fill(2 * (i + 1)));
    expect(await numbers(v[0])).toEqual([0.25, 0.25, 0.25]);
  });

  it('of what a step took from outside is what it was, whatever other steps update', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1, 2], { engine }));
    const double = capture(() => void w.assign(w.mul(2)), { engine });
    const before = w.add(0);
    const plus = capture((x: Tensor) => x.add(before), { engine });
    expect(await numbers(await plus([10, 10]))).toEqual([11, 12]);
    await double.replay(2);
    expect(await numbers(await plus([10, 10]))).toEqual([11, 12]);
    await w.assign([0, 0]);
    await double.replay();
    expect(await numbers(await plus([10, 10]))).toEqual([11, 12]);
  });

  it('of results is bounded by rule: older ones move to the host, and are read and used as before', async () => {
    const engine = await testEngine({ maxBytes: 16 << 20, debug: { poison: true } });
    const step = capture((x: Tensor) => ({ large: zeros([1 << 16]).add(x), small: x.mul(2) }), { engine });
    const w = variable(tensor([1], { engine }));
    const kept: { large: Tensor; small: Tensor; eager: Tensor }[] = [];
    for (let i = 0; i < 100; i++) {
      const eager = zeros([1 << 14])
        .add(w)
        .add(i);
      await eager.data();
      kept.push({ ...(await step([i])), eager });
    }
    expect(engine.memory().peakBytes).toBeLessThanOrEqual(16 << 20);
    const plus = capture((x: Tensor) => x.add(kept[3].large), { engine });
    expect((await (await plus([0.5])).data())[7]).toBe(3.5);
    for (const [i, { large, small, eager }] of kept.entries()) {
      expect((await large.slice([5], [1]).data())[0]).toBe(i);
      expect(await small.item()).toBe(2 * i);
      expect((await eager.mul(2).data())[99]).toBe(2 * (i + 1));
    }
    expect([...(await gradients(kept[2].eager.square().sum(), [w])[0].data())]).toEqual([6 << 14]);
    const dropped = kept.pop()!;
    dropped.large.dispose();
    await expect(dropped.large.data()).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('of empty variables is none, and steps update them all the same', async () => {
    const engine = await testEngine();
    const w = variable(zeros([0, 3]).add(tensor(0, { engine })));
    const step = capture(
      () => {
        w.assign(w.mul(2));
        return w.sum();
      },
      { engine },
    );
    expect(await (await step()).item()).toBe(0);
    expect(await w.array()).toEqual([]);
  });
});

describe('what a captured function may do', () => {
  it('is refused by name: parts of it used elsewhere, results that are no tensors, counts that are none', async () => {
    const engine = await testEngine();
    const w = variable(tensor([1], { engine }));
    let leaked: Tensor | null = null;
    const leak = capture(
      (x: Tensor) => {
        leaked = x.mul(2);
        return leaked;
      },
      { engine },
    );
    expect(await numbers(await leak([3]))).toEqual([6]);
    for (const use of [() => leaked!.add(1), () => w.assign(leaked!), () => variable(leaked!)])
      expect(use).toThrow(/part of a captured function/);
    await expect(leaked!.data()).rejects.toMatchObject({ code: 'STATE' });

    const late = capture(
      (async (x: Tensor) => {
        await null;
        w.assign(w.add(x));
      }) as never,
      { engine },
    ) as unknown as (x: number[]) => Promise<unknown>;
    await expect(late([1])).rejects.toMatchObject({ code: 'STATE' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await w.item()).toBe(1);

    for (const result of [5, 'text', true, new Map(), () => 1])
      await expect(capture((() => ({ result })) as never, { engine })()).rejects.toMatchObject({
        code: 'VALUE',
      });
    const count = capture(() => void w.assign(w.add(1)), { engine });
    for (const times of [1.5, Number.NaN, -1, Number.POSITIVE_INFINITY])
      await expect(count.replay(times)).rejects.toMatchObject({ code: 'VALUE' });
    await count.replay(0);
    await count.replay(2);
    expect(await w.item()).toBe(3);
  });

  it('stays with one engine: variables and arguments of another are refused, and nothing is changed', async () => {
    const [one, two] = [await testEngine(), await testEngine()];
    const w = variable(tensor([1, 2], { engine: one }));
    const add = capture((x: Tensor) => {
      w.assign(w.add(x));
      return w;
    });
    await add(tensor([1, 1], { engine: one }));
    await expect(add(tensor([1, 1], { engine: two }))).rejects.toMatchObject({ code: 'ENGINE_MISMATCH' });
    expect(() => w.assign(tensor([1, 1], { engine: two }).mul(1))).toThrow(/two engines/);
    // Without an engine of its own, an argument goes where the variables are.
    expect(await numbers((await add([1, 1])) as Tensor)).toEqual([3, 4]);
  });
});
