import { describe, expect, test } from 'vitest';
import { capture, optimizers, schedules, tensor, variable } from '../../src/index.ts';
import { camelCase } from '../../src/nn/names.ts';
import { resolveOptimizer } from '../../src/nn/optimizers/resolve.ts';
import recorded from './fixtures/keras-numbers.json';

const rateAt = (schedule: schedules.Schedule, step: number) =>
  schedule(tensor(step, { dtype: 'f32' })).item();
const make = (name: string, options: object): schedules.DescribedSchedule =>
  schedules[name.replace(/^./, (c) => c.toLowerCase()) as 'cosineDecay'](options as never);

/** The formulas once more, in float64 and plain numbers. */
const twins: Record<string, (o: Record<string, number>, step: number) => number> = {
  exponentialDecay: (o, step) => o.initialLearningRate * o.decayRate ** (step / o.decaySteps),
  inverseTimeDecay: (o, step) => o.initialLearningRate / (1 + (o.decayRate * step) / o.decaySteps),
  cosineDecay: (o, step) =>
    o.initialLearningRate *
    ((1 - o.alpha) * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, o.decaySteps)) / o.decaySteps)) + o.alpha),
  polynomialDecay: (o, step) =>
    (o.initialLearningRate - o.endLearningRate) *
      (1 - Math.min(step, o.decaySteps) / o.decaySteps) ** o.power +
    o.endLearningRate,
};

describe('schedules', () => {
  test.each(recorded.schedules.map((one) => [`${one.name} ${JSON.stringify(one.options)}`, one] as const))(
    '%s is that of Keras',
    async (_, { name, options, steps, rates }) => {
      const schedule = make(name, options);
      const largest = Math.max(...rates);
      for (const [i, step] of steps.entries())
        expect(Math.abs((await rateAt(schedule, step)) - rates[i]), `step ${step}`).toBeLessThan(
          3e-7 * largest,
        );
    },
  );

  test.each([
    ['exponentialDecay', { initialLearningRate: 0.3, decaySteps: 700, decayRate: 0.96 }],
    ['inverseTimeDecay', { initialLearningRate: 0.3, decaySteps: 700, decayRate: 0.96 }],
    ['cosineDecay', { initialLearningRate: 0.3, decaySteps: 70_000, alpha: 0.01 }],
    ['polynomialDecay', { initialLearningRate: 0.3, decaySteps: 7000, endLearningRate: 0.001, power: 1.7 }],
  ] as const)('%s agrees with float64', async (name, options) => {
    const schedule = make(name, options);
    for (const step of [0, 1, 13, 699, 700, 6999, 7001, 35_000, 69_999])
      expect(Math.abs((await rateAt(schedule, step)) - twins[name](options, step))).toBeLessThan(3e-7);
  });

  test('stairs change exactly at their multiples, far out too', async () => {
    const schedule = schedules.inverseTimeDecay({
      initialLearningRate: 1,
      decaySteps: 7,
      decayRate: 1,
      staircase: true,
    });
    for (const k of [1, 3, 11, 1001, 99_999]) {
      expect(await rateAt(schedule, 7 * k - 1)).toBeCloseTo(1 / k, 7);
      expect(await rateAt(schedule, 7 * k)).toBeCloseTo(1 / (1 + k), 7);
    }
  });

  test('are part of the captured step', async () => {
    const w = variable([0]);
    const optimizer = optimizers.sgd(schedules.piecewiseConstantDecay({ boundaries: [1], values: [1, 0.1] }));
    const step = capture(() => optimizer.apply([w], [tensor([-1])]));
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await step();
      seen.push((await w.data())[0]);
    }
    for (const [i, value] of [1, 2, 2.1, 2.2].entries()) expect(seen[i]).toBeCloseTo(value, 6);
    expect(await optimizer.currentLearningRate()).toBeCloseTo(0.1, 7);
    expect(() => {
      optimizer.learningRate = 1;
    }).toThrow(/schedule/);
  });

  test('are described by config, and made again from it', async () => {
    for (const { name, options } of recorded.schedules) {
      const schedule = make(name, options);
      const given = Object.fromEntries(
        Object.entries(options).map(([option, value]) => [camelCase(option), value]),
      );
      expect(schedule.className).toBe(name);
      expect(schedule.config).toMatchObject(given);
      const config = JSON.parse(JSON.stringify(optimizers.adam(schedule).getConfig()));
      expect(config.learningRate).toEqual({ className: name, config: schedule.config });
      const again = resolveOptimizer({ className: 'Adam', config }, 'compile');
      expect(again.getConfig()).toEqual(config);
      expect(await again.currentLearningRate()).toBe(await rateAt(schedule, 0));
    }
  });

  test('refuse what makes no sense', () => {
    const decay = { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9 };
    expect(() => schedules.exponentialDecay({ ...decay, decaySteps: 0 })).toThrow(/decaySteps is 0/);
    expect(() => schedules.exponentialDecay({ ...decay, decayRate: 0 })).toThrow(/decayRate/);
    expect(() => schedules.exponentialDecay({ ...decay, stairs: 1 } as never)).toThrow(/"stairs" is unknown/);
    expect(() => schedules.cosineDecay({ initialLearningRate: 0.1 } as never)).toThrow(/decaySteps is NaN/);
    expect(() => schedules.piecewiseConstantDecay({ boundaries: [1], values: [1] })).toThrow(
      /one value more/,
    );
    expect(() => schedules.piecewiseConstantDecay({ boundaries: [2, 1], values: [1, 1, 1] })).toThrow(
      /boundaries\[1\] is 1/,
    );
    expect(() => optimizers.sgd({ learningRate: { className: 'Nothing' } })).toThrow(/Known are exponential/);
  });
});
