/** Addresses that people share, and addresses that nobody should. */
import { expect, test } from 'vitest';
import {
  ACTIVATIONS,
  DATA_SOURCES,
  DEFAULTS,
  OPTIMIZERS,
  type Settings,
} from '../../demo/playground/protocol.ts';
import { fromHash, toHash } from '../../demo/playground/url-state.ts';

const others: Settings = {
  data: 'mnist',
  layers: [
    { units: 300, activation: 'leakyRelu' },
    { units: 20, activation: 'tanh' },
  ],
  optimizer: 'momentum',
  learningRate: 0.00125,
  batchSize: 7,
  seed: 2 ** 31 - 1,
  validationShare: 0.25,
};

test('settings come back from their address as they were', () => {
  const all = [DEFAULTS, others, { ...others, layers: [] }];
  for (const data of DATA_SOURCES) all.push({ ...DEFAULTS, data });
  for (const optimizer of OPTIMIZERS) all.push({ ...DEFAULTS, optimizer });
  for (const activation of ACTIVATIONS) all.push({ ...DEFAULTS, layers: [{ units: 9, activation }] });
  for (const settings of all) expect(fromHash(toHash(settings))).toEqual({ settings, complaints: [] });
});

test('an address reads well', () => {
  expect(toHash(DEFAULTS)).toBe(
    '#data=garments&net=128-relu&optimizer=adam&rate=0.001&batch=64&seed=1&validation=0.1',
  );
});

test('an empty address gives the defaults, half of one the rest', () => {
  for (const hash of ['', '#', '#&&']) expect(fromHash(hash)).toEqual({ settings: DEFAULTS, complaints: [] });
  expect(fromHash('#batch=16&net=none').settings).toEqual({ ...DEFAULTS, batchSize: 16, layers: [] });
});

test('the learning rate that is not given is one that suits the optimizer', () => {
  expect(fromHash('#optimizer=sgd').settings.learningRate).toBe(0.05);
  expect(fromHash('#optimizer=adam').settings.learningRate).toBe(0.001);
});

test.each([
  ['#data=imagenet', /data: "imagenet" is not known; took garments/],
  ['#optimizer=__proto__', /optimizer: "__proto__"/],
  ['#optimizer=constructor', /optimizer: "constructor"/],
  ['#net=128-constructor', /net: "128-constructor" is no layer/],
  ['#net=0-relu', /no layer/],
  ['#net=9999999-relu', /no layer/],
  ['#net=128-relu,,', /no layer/],
  ['#net=', /no layer/],
  ['#net=1-relu,1-relu,1-relu,1-relu,1-relu,1-relu,1-relu', /7 layers are too many/],
  ['#batch=0', /batch: "0" is not a whole number from 1/],
  ['#batch=1.5', /batch: "1.5"/],
  ['#batch=Infinity', /batch: "Infinity"/],
  ['#batch=', /batch: ""/],
  ['#rate=NaN', /rate: "NaN" is not a number/],
  ['#rate=-1', /rate: "-1"/],
  ['#seed=-1', /seed: "-1"/],
  ['#validation=1', /validation: "1"/],
  ['#seed=<img src=x onerror=alert(1)>', /seed: "<img src=x/],
  ['#__proto__=1', /"__proto__" is no setting/],
  ['#toString=1', /"toString" is no setting/],
  [`#${'x'.repeat(5000)}`, /5001|5000 characters/],
  [`#data=${'x'.repeat(500)}`, /data: "x{40}…" is not known/],
])('nonsense is left aside and told: %s', (hash, complaint) => {
  const { settings, complaints } = fromHash(hash);
  expect(settings).toEqual(DEFAULTS);
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toMatch(complaint);
});

test('of what is there twice the first counts', () => {
  const { settings, complaints } = fromHash('#batch=16&batch=32');
  expect(settings.batchSize).toBe(16);
  expect(complaints).toEqual(['batch is there twice; took the first.']);
});

test('escapes that are broken do not break the page', () => {
  expect(() => fromHash('#data=%E0%A4%A&batch=%')).not.toThrow();
});
