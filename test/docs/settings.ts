/**
 * What the examples take as given: for each, by file and name, the lines before it, and those after it that use what it
 * defines. An example that needs nothing but Weft has no row.
 */
export interface Setting {
  readonly before?: string;
  readonly after?: string;
}

const rows = 'const x = random.normal([8, 4], { seed: 1 }); const y = random.normal([8, 1], { seed: 2 });';
const small = 'sequential([layers.input([4]), layers.dense(1)])';
const regression = `${rows} const model = ${small}; model.compile({ optimizer: 'sgd', loss: 'mse' });`;
/** One epoch without a word, whatever an example asks for. */
const oneBatch = `const fit = model.fit.bind(model);
model.fit = (...given) => {
  const last = given.at(-1);
  const hasOptions = Object.getPrototypeOf(last) === Object.prototype && !('data' in last);
  return fit(...(hasOptions ? given.slice(0, -1) : given), { ...(hasOptions ? last : {}), epochs: 1, verbose: 0 });
};`;
const pictures = `const { train, test, classNames } = datasets.garments({ train: 32, test: 8 });
const images = tensor(train.images, { shape: [32, 28, 28] });
const labels = tensor(train.labels);
const model = sequential([layers.input([28, 28]), layers.rescaling({ scale: 1 / 255 }), layers.flatten(), layers.dense(10, { activation: 'softmax' })]);
model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
${oneBatch}`;
const column = 'const w = variable(random.normal([4, 1], { seed: 3 }));';
const photos = 'const x = random.normal([2, 8, 8, 3], { seed: 1 });';
const steps = 'const x = random.normal([2, 8, 3], { seed: 1 });';
const square = 'const a = random.normal([3, 3], { seed: 1 }), b = random.normal([3, 3], { seed: 2 });';

export const settings: Record<string, Setting> = {
  'src/base/errors.ts WeftError': { before: 'const a = ones([2, 3]), b = ones([2, 3]);' },
  'src/data/csv.ts parseCsv': {
    before: "await writeFile('fashion-mnist_test.csv', 'label,pixel1,pixel2\\n3,0,255\\n');",
  },
  'src/data/idx.ts parseIdx': {
    before: 'const file = new Blob([new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 5, 7])]);',
  },
  'src/data/k-fold.ts KFold': { before: 'const x = [[1], [2], [3], [4], [5]];' },
  'src/data/k-fold.ts StratifiedKFold': {
    before: 'const x = Array.from({ length: 10 }, (_, i) => [i]), y = x.map(([i]) => i % 2);',
  },
  'src/data/npy.ts parseNpy': {
    before: "await writeFile('x.npy', data.encodeNpy({ data: Float32Array.of(1, 2), shape: [2] }));",
  },
  'src/data/npz.ts parseNpz': {
    before:
      "await writeFile('mnist.npz', await data.encodeNpz({ x_train: { data: Float32Array.of(1), shape: [1] } }));",
  },
  'src/data/npz.ts encodeNpz': {
    before: 'const x = { data: Float32Array.of(1, 2), shape: [2, 1] }, labels = Int32Array.of(0, 1);',
  },
  'src/data/pipeline/dataset.ts Dataset': {
    before: 'const x = { data: new Float32Array(42_020), shape: [42_020, 1] }, y = new Uint8Array(42_020);',
    after: 'for await (const [images] of validation) see(images.shape, "[20, 1]");',
  },
  'src/data/read-directory.ts imageDatasetFromDirectory': {
    before: `await picturesIn('photos');
const model = sequential([layers.input([64, 64, 3]), layers.flatten(), layers.dense(2, { activation: 'softmax' })]);
model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy' });
${oneBatch}`,
  },
  'src/data/read-directory.ts textDatasetFromDirectory': {
    before: `await textsIn('reviews/train');
const vectorize = layers.textVectorization({ maxTokens: 10, outputSequenceLength: 4 });
const model = sequential([layers.input([4]), layers.dense(1, { activation: 'sigmoid' })]);
model.compile({ optimizer: 'sgd', loss: 'binary_crossentropy' });
${oneBatch}`,
  },
  'src/data/timeseries.ts timeseriesDatasetFromArray': {
    before: `const x = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
const model = sequential([layers.input([24]), layers.dense(1)]);
model.compile({ optimizer: 'sgd', loss: 'mse' });
${oneBatch}`,
  },
  'src/data/train-test-split.ts trainTestSplit': {
    before:
      'const x = [1, 2, 3, 4, 5], y = [0, 1, 0, 1, 0], fashion = datasets.garments({ train: 10, test: 2 });',
  },
  'src/graph/capture.ts capture': { before: `${rows} ${column}` },
  'src/graph/grad-check.ts gradcheck': { before: 'const w = random.normal([2, 3], { seed: 1 });' },
  'src/graph/gradients.ts gradients': { after: 'await see(dw, "[[2, 4], [6, 8]]");' },
  'src/graph/gradients.ts valueAndGrad': {
    before: `${rows} const dense = layers.dense(1), model = (x) => dense.apply(x); model(x);
const optimizer = optimizers.sgd();`,
  },
  'src/graph/leaks.ts watchLeaks': {
    before:
      'const kept = []; const suspect = async () => { kept.push(ones([4]).add(1)); await kept[0].data(); };',
    after: 'watch.stop();',
  },
  'src/nn/callbacks/backup-and-restore.ts BackupAndRestore': {
    before: regression + oneBatch,
  },
  'src/nn/layers/layer.ts Layer': { after: 'await see(new Scale().apply(ones([1, 2])), "[[1, 1]]");' },
  'src/nn/layers/layer.ts addLoss': {
    after: `const model = sequential([layers.input([1]), new Small()]);
model.compile({ optimizer: 'sgd', loss: 'mse' });
see(await model.evaluate(tensor([[10]]), tensor([[10]]), { verbose: 0 }), '{ loss: 1 }');`,
  },
  'src/nn/layers/standardization.ts normalization': {
    before: 'const x = random.normal([16, 13], { seed: 1 });',
  },
  'src/nn/layers/text-vectorization.ts textVectorization': {
    before: `const texts = ['a good film', 'a bad film'], labels = tensor([1, 0]);
const model = sequential([layers.input([100]), layers.dense(1, { activation: 'sigmoid' })]);
model.compile({ optimizer: 'sgd', loss: 'binary_crossentropy' });
${oneBatch}`,
  },
  'src/nn/linear/cross-validate.ts crossValidate': {
    before:
      'const x = random.normal([20, 4], { seed: 1 }), labels = Array.from({ length: 20 }, (_, i) => i % 2);',
  },
  'src/nn/linear/sgd-classifier.ts sgdClassifier': {
    before:
      'const x = random.normal([20, 4], { seed: 1 }), labels = Array.from({ length: 20 }, (_, i) => i % 2);',
  },
  'src/nn/metrics/confusion-matrix.ts confusionMatrix': { before: pictures },
  'src/nn/metrics/mean.ts mean': {
    after: `const model = new Distances();
model.compile({ optimizer: 'sgd' });
const { history } = await model.fit(tensor([[3, 4], [6, 8]]), null, { verbose: 0 });
see(history.distance, '[7.5]');`,
  },
  'src/nn/metrics/perplexity.ts perplexity': { before: `const model = ${small};` },
  'src/nn/optimizers/muon.ts Muon': { before: `const model = ${small};` },
  'src/nn/models/clone.ts cloneModel': { before: `const net = ${small};` },
  'src/nn/models/functional.ts Functional': { after: 'new Residual().apply(ones([2, 64]));' },
  'src/nn/models/generate.ts generate': {
    before: `const tokenizer = data.charTokenizer('Call me ');
const model = sequential([layers.input([16]), layers.embedding(tokenizer.vocabularySize, 4), layers.dense(tokenizer.vocabularySize)]);`,
  },
  'src/nn/models/model.ts fit': { before: `${pictures}` },
  'src/nn/models/model.ts traceNaN': { before: regression },
  'src/nn/models/model.ts explain': { before: regression },
  'src/nn/optimizers/optimizer.ts Optimizer': {
    before: `${rows} ${column} const optimizer = optimizers.sgd();`,
    after: 'await step(x, y);',
  },
  'src/nn/saving/load.ts loadModel': { before: `const model = ${small};` },
  'src/ops/arg-reduce.ts argMax': {
    before: 'const logits = tensor([[1, 3, 2]]);',
    after: 'await see(predicted, "[1]");',
  },
  'src/ops/arrange.ts split': { before: 'const x = zeros([1000, 6]);' },
  'src/ops/constant.ts tensor': { before: 'const bytes = new Uint8Array(60000 * 28 * 28);' },
  'src/ops/constant.ts stopGradient': {
    before: 'const x = ones([2, 4]), teacher = layers.dense(3), student = layers.dense(3);',
  },
  'src/ops/convolution.ts conv1d': { before: `${steps} const filter = ones([3, 3, 2]);` },
  'src/ops/convolution.ts conv2d': { before: 'const images = random.normal([2, 8, 8, 1], { seed: 1 });' },
  'src/ops/convolution.ts conv2dTranspose': { before: `${photos} const filter = ones([3, 3, 2, 3]);` },
  'src/ops/depthwise.ts depthwiseConv2d': { before: 'const x = random.normal([2, 8, 8, 8], { seed: 1 });' },
  'src/ops/einsum.ts tensordot': { before: 'const a = ones([2, 3, 4]), b = ones([4, 2, 5]);' },
  'src/ops/einsum.ts dot': { before: 'const matrix = ones([2, 3]), vector = ones([3]);' },
  'src/ops/einsum.ts einsum': { before: `${square} const q = ones([1, 2, 4, 3]), k = q;` },
  'src/ops/matmul.ts matmul': {
    before: 'const x = ones([2, 3]), w = ones([3, 4]), b = ones([4]), dz = ones([2, 4]);',
  },
  'src/ops/pooling.ts maxPool': { before: photos },
  'src/ops/reduce.ts sum': { before: steps },
  'src/ops/resize.ts resize': { before: `${photos} const images = x;` },
  'src/ops/scatter-nd.ts takeAlongAxis': { before: 'const x = tensor([[3, 1, 2]]);' },
  'src/ops/statistics.ts norm': { before: 'const x = ones([2, 4]);' },
  'src/ops/tensor.ts Variable': { before: 'const g = ones([784, 10]);' },
  'src/plot/bars.ts bars': {
    before: `${pictures} const image = tensor(test.images.subarray(0, 784), { shape: [1, 28, 28] });`,
  },
  'src/plot/confusion.ts confusion': {
    before: "const matrix = [[3, 1], [0, 2]], classNames = ['cat', 'dog'];",
  },
  'src/plot/curves.ts curves': { before: 'const x = [0, 1, 2], value = x, slope = [1, 1, 1];' },
  'src/plot/feature-maps.ts featureMaps': {
    before: `const x = layers.input([4, 4, 1]); const picture = ones([1, 4, 4, 1]);
const net = model({ inputs: x, outputs: layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x) });`,
  },
  'src/plot/filters.ts filters': {
    before:
      'const model = sequential([layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [4, 4, 1] })]);',
  },
  'src/plot/grad-cam.ts gradCam': {
    before: 'const maps = ones([1, 2, 2, 3]), score = maps.square().sum(), picture = [[1, 2], [3, 4]];',
  },
  'src/plot/history.ts history': { before: regression + oneBatch },
  'src/plot/model.ts model': { before: `const net = ${small};` },
  'src/plot/weights.ts weights': {
    before: "const model = sequential([layers.dense(2, { inputShape: [4] })]), classNames = ['cat', 'dog'];",
  },

  'docs/browser.md 2': {
    before: `const images = new Uint8Array(4), labels = new Uint8Array(1), model = ${small};
const { port1: worker } = new MessageChannel(), postMessage = (...given) => structuredClone(given[0], { transfer: given[1] });`,
    after: 'worker.close();',
  },
  'docs/data.md 1': { before: regression },
  'docs/doctor.md 1': { before: regression },
  'docs/doctor.md 2': {
    before:
      'const kept = []; const suspect = async () => { kept.push(ones([4]).add(1)); await kept[0].data(); };',
  },
  'docs/from-keras.md 2': { after: 'net.layers.length;   // 5' },
  'docs/errors.md 1': { before: regression + oneBatch },
  'docs/errors.md 2': { before: regression },
  'docs/errors.md 3': {
    before: 'const layer = layers.dense(2), x = random.normal([1, 3], { seed: 1 }); layer.apply(x);',
  },
  'docs/files.md 1': { before: `const model = ${small};` },
  'docs/files.md 3': {
    before: `${regression} ${oneBatch} const stop = callbacks.earlyStopping({ monitor: 'loss' });`,
  },
  'docs/tuning.md 1': { before: regression },
};
