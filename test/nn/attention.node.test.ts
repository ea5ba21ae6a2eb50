/** Layers of attention and products along any axes against what Keras 3.15.1 computed (fixtures/record_attention.py). */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Functional,
  gradients,
  init,
  layers,
  loadModel,
  ShapeError,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import type { Layer } from '../../src/nn/layers/layer.ts';
import { carryMasks, setMask } from '../../src/nn/layers/masks.ts';
import { withoutNeutral } from '../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../src/nn/saving/own.ts';
import recorded from './fixtures/attention.json';

const block = new Uint8Array(readFileSync(new URL('./fixtures/attention-block.keras', import.meta.url)));

beforeEach(async () => {
  await init({ seed: 3 });
});

async function close(x: Tensor, y: unknown, what: string, tolerance = 3e-6): Promise<void> {
  const [a, b] = [[...(await x.data())], [y].flat(Infinity) as number[]];
  expect(a.length, what).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]))), what).toBeLessThan(tolerance);
}

interface Call {
  readonly use_causal_mask?: boolean;
  readonly return_attention_scores?: boolean;
  readonly attention_mask?: number[][][];
}

describe('compute what Keras computes: outputs, shares, and gradients of all weights', () => {
  test.each(
    [...recorded.cases, ...recorded.grouped].map(
      (one) => [`${one.class_name} ${JSON.stringify(Object.keys(one.call))}`, one] as const,
    ),
  )('%s', async (_, one) => {
    const call = one.call as Call;
    const options: Record<string, unknown> = {
      ...withoutNeutral(one.config as never, new OwnObjects()),
      ...(call.use_causal_mask && { useCausalMask: true }),
      ...(call.return_attention_scores && { returnAttentionScores: true }),
    };
    const layer = layers.fromConfig({ className: one.class_name, config: options }) as Layer;
    const [q, ...rest] = one.inputs.map((x) => tensor(x as number[][][]));
    const same = rest.length > 0 && JSON.stringify(one.inputs[0]) === JSON.stringify(one.inputs[1]);
    const inputs = [q, ...(same ? [q, ...rest.slice(1)] : rest)];
    carryMasks();
    // Keras's layer of several heads goes by the mask of the query itself, and not by one that a call names.
    for (const [i, mask] of (one.masks ?? []).entries())
      if (mask && !(i === 0 && one.class_name === 'MultiHeadAttention'))
        setMask(inputs[i], tensor(mask as number[][], { dtype: 'bool' }));
    const given = inputs.length === 1 ? inputs[0] : inputs;
    const shapes = inputs.map(({ shape }) => [null, ...shape.slice(1)]);
    const shape = layer.computeOutputShape(inputs.length === 1 ? shapes[0] : shapes) as unknown[];
    layer.buildFor(inputs.length === 1 ? shapes[0] : shapes);
    await layer.setWeights(one.weights.map((w) => tensor(w as number[])));
    const attentionMask = call.attention_mask ? tensor(call.attention_mask, { dtype: 'bool' }) : null;
    const outputs = [layer.apply(given, { attentionMask })].flat() as Tensor[];
    expect(Array.isArray(shape[0]) ? shape : [shape]).toEqual(
      outputs.map((y) => [null, ...y.shape.slice(1)]),
    );
    for (const [i, y] of outputs.entries()) await close(y, one.y[i], `output ${i}`);
    if (one.gradients.length === 0) return;
    const loss = outputs
      .map((y, i) => y.mul(tensor(one.seeds[i] as number[][][])).sum())
      .reduce((a, b) => a.add(b));
    const found = gradients(loss, layer.trainableWeights);
    for (const [i, g] of found.entries()) await close(g, one.gradients[i], `gradient ${i}`, 1e-5);
  });
});

test('a block of a transformer is read from a network of real Keras, and comes back as it was', async () => {
  const { x, y } = recorded.network;
  const model = (await loadModel(block)) as Functional;
  await close(model.apply(tensor(x)), y, 'as read');
  const again = (await loadModel(await model.toBytes('keras'))) as Functional;
  await close(again.apply(tensor(x)), y, 'as written');
});

test('what does not belong together is refused', () => {
  const x = tensor([
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  const mha = layers.multiHeadAttention(2, 3);
  expect(() => mha.apply(tensor([[1, 2]]))).toThrow(/expected \[samples, steps, features\]/);
  expect(() => mha.apply(x, { attentionMask: tensor([[[true]]]) })).toThrow(ShapeError);
  expect(() => layers.multiHeadAttention(2, 3, { attentionAxes: [1, 2] })).toThrow(/the axis of the steps/);
  expect(() => layers.einsumDense('abc,cd', { outputShape: 3 }).apply(x)).toThrow(/'input,kernel->output'/);
  expect(() => layers.einsumDense('ab,bd->ad', { outputShape: 3 }).apply(x)).toThrow(/3 axes/);
  expect(() => layers.einsumDense('abc,cd->abd', { outputShape: [null, 3], biasAxes: 'x' }).apply(x)).toThrow(
    /biasAxes/,
  );
});
