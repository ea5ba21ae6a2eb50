/**
 * Cases of `../shared/conformance/tfjs.json` beyond the core ones, for what Weft offers: metrics, early
 * stopping, regularizers, layers, initializers, fit. The core cases of these kinds are run in tfjs.node.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { callbacks, metrics } from '../../src/index.ts';
import type { Model } from '../../src/nn/models/model.ts';
import { resolveRegularizer } from '../../src/nn/weights/regularizers.ts';
import { type ConformanceCase, expectNumbers, loadCases, toleranceOf, toTensor } from './cases.ts';
import { subject } from './models.ts';
import { runners } from './runners.ts';

/** The extended cases that are not run, each with its reason. */
const excluded: Record<string, string> = {
  'pow.forward.0101': 'powers are f32, of integers too',
  'relu6.forward.0220': 'relu6 is f32, of integers too',
  'selu.grad.0490': 'at the kink, 0, the slope is that of the right side',
  'selu.grad.0491': 'at the kink, 0, the slope is that of the right side',
  'gather.forward.0556': 'the case has lost its batchDims, which its shape was made with',
  'dot.throws.0022': 'dot takes any rank, as in NumPy and Keras',
  'dot.throws.0058': 'dot with a scalar is the product, as in NumPy and Keras',
  'layer.flatten.layer.0893': 'images have their channels last; data_format is not offered',
  'model.fit.fit.0970': 'a saturated softmax trains on its logits here, unclipped: other losses (as 0971)',
  'model.fit.fit.0972': 'a saturated softmax trains on its logits here, unclipped: other losses (as 0971)',
};

/** How a case of each kind is run. */
const kinds: Record<string, (one: ConformanceCase) => Promise<void>> = {
  async metric(one) {
    const made = metrics[subject(one) as 'precision']();
    const value = await made.compute(toTensor(one.y_true), toTensor(one.y_pred));
    expectNumbers([value], one.float64, toleranceOf(one));
  },

  async regularizer(one) {
    const rule = resolveRegularizer({ className: subject(one), config: one.config }, 'regularizer')!;
    expectNumbers([await rule.of(toTensor(one.x)).item()], one.expect, { relative: 1e-6, absolute: 0 });
  },

  async early_stopping(one) {
    const callback = callbacks.earlyStopping(one.config);
    const model = { stopTraining: false, metrics: [] };
    callback.setModel(model as unknown as Model);
    callback.onTrainBegin();
    const stops: number[] = [];
    for (const [epoch, value] of (one.val_loss as number[]).entries()) {
      callback.onEpochEnd(epoch, { val_loss: value });
      if (model.stopTraining) stops.push(epoch);
    }
    expect(stops[0]).toBe(one.expect.stops_after_epoch_index);
  },

  forward: async (one) => runners.forward(one),
  grad: async (one) => runners.grad(one),
  throws: async (one) => runners.throws(one),
  layer: async (one) => runners.layer(one),
  initializer: async (one) => runners.initializer(one),
  fit: async (one) => runners.fit(one),
};

const cases = loadCases();
const extended = typeof cases === 'string' ? [] : cases.filter(({ priority }) => priority === 'extended');

for (const [kind, run] of Object.entries(kinds)) {
  const due = extended.filter((one) => one.kind === kind && !Object.hasOwn(excluded, one.id));
  describe.skipIf(due.length === 0)(`extended ${kind}`, () => {
    test.each(due.map((one) => [one.id, one] as const))('%s', (_, one) => run(one));
  });
}

test.skipIf(typeof cases === 'string')('480 extended cases of these kinds = run + excluded', () => {
  const due = extended.filter(({ kind }) => Object.hasOwn(kinds, kind));
  expect(due).toHaveLength(480);
  expect(due.filter(({ id }) => Object.hasOwn(excluded, id))).toHaveLength(Object.keys(excluded).length);
  for (const [id, reason] of Object.entries(excluded)) console.log(`excluded ${id}: ${reason}`);
});
