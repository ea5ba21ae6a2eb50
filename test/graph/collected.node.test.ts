/** The garbage collector frees the memory of forgotten tensors, and never that of a variable. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { capture, tensor, variable } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Lets finalizers run: they are tasks of their own. */
async function forget(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a variable that is assigned between captured steps keeps its place', async () => {
  const engine = await testEngine({ debug: { poison: true } });
  const filled = (value: number) => tensor(new Float32Array(64).fill(value), { engine });
  const x = variable(filled(1), { trainable: false });
  const total = variable(filled(0), { trainable: false });
  const step = capture(
    () => {
      total.assign(total.add(x));
    },
    { engine },
  );
  await step.replay();
  for (let round = 2; round <= 4; round++) {
    await x.assign(filled(round));
    await forget();
    // Takes whatever was freed.
    const others = Array.from({ length: 8 }, () => filled(1000));
    await Promise.all(others.map((one) => one.add(0).data()));
    await step.replay();
    expect((await total.data())[0]).toBe((round * (round + 1)) / 2);
    expect((await x.data())[63]).toBe(round);
  }
});

test('who was promised the old value of an assigned variable still reads it', async () => {
  const engine = await testEngine();
  const x = variable(tensor(Float32Array.of(1, 2), { engine }), { trainable: false });
  const y = variable(tensor(Float32Array.of(0, 0), { engine }), { trainable: false });
  const step = capture(
    () => {
      y.assign(y.add(x));
    },
    { engine },
  );
  await step.replay();
  const promised = x.mul(10);
  await x.assign([5, 6]);
  await forget();
  await step.replay();
  expect(await promised.array()).toEqual([10, 20]);
  expect(await y.array()).toEqual([6, 8]);
});
