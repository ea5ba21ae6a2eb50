/** The tables of docs/performance.md, each from the quoted rows: [{ key, rows }] → Markdown. */
import { floorOf } from './floors.js';
import { quiet } from './machine.js';
import { judgeTarget, targets, wasm } from './quote.js';
import { firstLine, markdownTable, percent, perStep, short } from './table.js';
import { workloads } from './workloads.js';

const unique = (values) => [...new Set(values)];
const ofPart = (rows, part) => rows.filter((row) => row.part === part);
const spreadText = ({ median, min, max }, unit = '') =>
  `${short(median)}${unit} (${short(min)}–${short(max)})`;
const times = (ratio) => `**${short(ratio.median)}×**`;

/** 'batch, 784→100→10' → 'batch' */
export const firstWord = (curve) => curve.match(/^\w+/)[0];

const names = {
  llvmpipe: "llvmpipe, Mesa's software driver",
  swiftshader: 'SwiftShader, what npm brings',
  'dawn-null-backend': "Dawn's null backend, a GPU that takes no time",
};
export function title(key) {
  const [, driver, chromium] = key.match(/^(.*?)(-chromium)?$/);
  return `${names[driver] ?? driver}${chromium ? ', in Chromium' : ''}`;
}

/** When and where, in one line for each run behind the rows. */
function provenance(rows) {
  const { adapter, runtime, machine, data } = rows[0];
  const dates = unique(rows.map(({ date }) => date.slice(0, 10))).join(', ');
  const commits = unique(rows.map(({ commit }) => commit)).join(', ');
  const tuning = unique(rows.map((row) => row.tuning ?? 'default')).join(', ');
  const load = Math.max(...rows.map((row) => row.load));
  return [
    `${dates}, commit ${commits}; ${adapter.name}${adapter.software ? ' (software, no GPU)' : ''}; ${runtime}; ${machine}`,
    tuning === 'default' ? '' : `; Weft's tuning: ${tuning}`,
    data ? `; ${data}` : '',
    load > quiet ? `; **the machine was not quiet** (others kept up to ${load.toFixed(1)} cores busy)` : '',
    '.',
  ].join('');
}

/** A paragraph for every adapter that has rows of the part. */
const perAdapter = (part, command, write) => (adapters) => {
  const measured = adapters.filter(({ rows }) => ofPart(rows, part).length > 0);
  if (measured.length === 0) return `Not measured yet: \`${command}\`.`;
  return measured
    .map(({ key, rows }) => {
      const mine = ofPart(rows, part);
      return `**${title(key)}**. ${provenance(mine)}\n\n${write(mine, { key, rows })}`;
    })
    .join('\n\n');
};

/** One row per subject, one column per engine. */
function matrix(rows, subject, heading, cell) {
  const engines = [...new Map(rows.map((row) => [row.engine, row.name]))].map(([id]) => ({
    id,
    // Where an engine failed once, its full name is in another row.
    name: rows.find((row) => row.engine === id && !row.failed)?.name.replace(/ \(\d+ threads?\)$/, '') ?? id,
  }));
  const find = (value, id) => rows.find((row) => subject(row) === value && row.engine === id);
  return markdownTable(
    [heading, ...engines.map(({ name }) => name)],
    unique(rows.map(subject)).map((value) => [
      value,
      ...engines.map(({ id }) => {
        const row = find(value, id);
        if (!row) return '';
        return row.failed ? `failed: ${firstLine(row.failed, 60)}` : cell(row);
      }),
    ]),
  );
}

const withRatio = (row, text) => (row.ratio && row.engine !== 'weft' ? `${text}, ${times(row.ratio)}` : text);

const steps = perAdapter('steps', 'node bench/steps.js', (rows, { key }) => {
  const table = matrix(
    rows,
    ({ workload, title }) => `${workload} ${title}`,
    'workload, ms per step',
    (row) => withRatio(row, spreadText(row.milliseconds)),
  );
  return `${table}\n\n![Time of a step relative to Weft's, ${title(key)}](performance/steps-${key}.svg)`;
});

const calls = perAdapter('steps', 'node bench/steps.js', (rows) =>
  matrix(
    rows.filter((row) => row.failed || row.calls?.dispatches > 0.05),
    ({ workload }) => workload,
    'dispatches; submits; bind groups per step',
    ({ calls }) => `${perStep(calls.dispatches)}; ${perStep(calls.submits)}; ${perStep(calls.bindGroups)}`,
  ),
);

const kernels = perAdapter('steps', 'node bench/steps.js', (rows) =>
  markdownTable(
    ['workload', 'kernel, by its ops', 'µs', 'share', 'KB', 'MFLOP', 'variant'],
    rows
      .filter((row) => row.explained)
      .flatMap(({ workload, explained: { kernels } }) => {
        const total = kernels.reduce((sum, { microseconds }) => sum + microseconds, 0);
        return kernels.map(({ label, microseconds, bytes, flops, tuning, from }, i) => [
          i === 0 ? `${workload}, ${kernels.length} dispatches` : '',
          label,
          short(microseconds),
          percent(microseconds / total),
          short(bytes / 1000),
          short(flops / 1e6),
          tuning ? `${words(tuning)} (${from})` : '',
        ]);
      }),
  ),
);

const words = (tuning) =>
  Object.entries(tuning)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ') || 'its rule';

const matmul = perAdapter('matmul', 'node bench/matmul.js', (rows) =>
  matrix(
    rows,
    ({ product, what }) => `${product}${what ? ` (${what})` : ''}`,
    'product, GFLOP/s',
    (row) => withRatio(row, short(row.gigaflops)),
  ),
);

const ceilingNames = {
  fmaGigaflops: 'multiply-adds in registers, GFLOP/s',
  tileGigaflops: 'best register tile that loads its operands, GFLOP/s',
  loadScalarGigabytes: 'loads of single words, contiguous, GB/s',
  loadVec4Gigabytes: 'loads of four words, contiguous, GB/s',
  loadUniformGigaloads: 'loads, all lanes the same word, 10⁹ lanes/s',
  copyNearGigabytes: 'copy kernel, 256 KB, GB/s read and written',
  copyFarGigabytes: 'copy kernel, out of the caches, GB/s read and written',
  copyBufferGigabytes: 'copyBufferToBuffer, GB/s read and written',
  emptyDispatchMicroseconds: 'an empty dispatch inside a pass, µs',
  submitMicroseconds: 'a submit of one dispatch, µs',
  submitAndWaitMicroseconds: 'submit and wait, µs',
  bindGroupMicroseconds: 'createBindGroup, µs',
  readbackMicroseconds: 'reading back 4 KB, µs',
  writeBufferMicroseconds: 'writeBuffer of 4 KB, µs',
};

function ceilings(adapters) {
  const measured = adapters.filter(({ rows }) => ofPart(rows, 'ceilings').length > 0);
  if (measured.length === 0) return 'Not measured yet: `node bench/ceilings.js`.';
  const values = measured.map(({ rows }) => ofPart(rows, 'ceilings').at(-1).ceilings);
  return markdownTable(
    ['', ...measured.map(({ key }) => title(key))],
    Object.entries(ceilingNames).map(([name, text]) => [text, ...values.map((one) => spreadText(one[name]))]),
  );
}

function floors(adapters) {
  const lines = adapters.flatMap(({ key, rows }) => {
    const ceilings = ofPart(rows, 'ceilings').at(-1)?.ceilings;
    const weft = ofPart(rows, 'steps').filter((row) => row.engine === 'weft' && !row.failed);
    if (!ceilings) return [];
    return weft.map((row) => {
      const dispatches = Math.round(row.calls.dispatches);
      const workload = workloads.find(({ id }) => id === row.workload);
      const floor = floorOf(workload, dispatches, ceilings);
      const own = row.milliseconds.median;
      return [
        key,
        row.workload,
        `${dispatches}`,
        short(floor.dispatch),
        short(floor.fma),
        short(floor.load),
        short(floor.total),
        short(floor.tile),
        short(own),
        `${short(own / floor.total)}×, ${short(own / floor.tile)}×`,
      ];
    });
  });
  if (lines.length === 0) return 'Not measured yet: `node bench/ceilings.js && node bench/steps.js`.';
  const header = [
    'adapter',
    'workload',
    'dispatches',
    'empty, ms',
    'multiply-adds, ms',
    'loads, ms',
    'floor, ms',
    'floor with a register tile, ms',
    'Weft, ms',
    "Weft's distance from each",
  ];
  return markdownTable(header, lines);
}

function targetTable(adapters) {
  const software = (key) => adapters.find((one) => one.key === key)?.rows ?? [];
  const gpu = adapters.find(({ key, rows }) => !rows[0].adapter.software && !key.endsWith('-chromium'));
  const lines = targets
    .filter(({ adapter }) => adapter !== 'gpu' || gpu)
    .map((target) =>
      targetLine(judgeTarget(target, target.adapter === 'gpu' ? gpu.rows : software(target.adapter))),
    );
  if (!gpu) lines.push(...unmeasuredGpu);
  const note = gpu
    ? `The GPU is ${gpu.rows[0].adapter.name}.`
    : '**No real GPU was at hand, so its rows are not measured**; the same commands give them.';
  return `${note}\n\n${markdownTable(['where', 'what', 'target', 'measured', ''], lines)}`;
}

const unmeasuredGpu = [
  ['W1–W4', '≥ 5× jax-js WebGPU, ≥ 15× TensorFlow.js WebGPU, ≥ 3× PyTorch eager on that GPU'],
  ['matmul 4096×4096×4096', '≥ 2× jax-js WebGPU, ≥ 2× TensorFlow.js WebGPU, ≥ 60 % of cuBLAS fp32'],
].map(([what, least]) => ['real GPU', what, least, '', 'not measured']);

const engineNames = {
  jax: 'jax-js WebGPU',
  tfjs: 'TensorFlow.js WebGPU',
  'tfjs-wasm,jax-wasm': 'the better WASM peer',
  'torch-cuda': 'PyTorch eager on that GPU',
};

function targetLine({ adapter, part, workload, product, against, least, most, ...result }) {
  const where = adapter === 'gpu' ? 'real GPU' : adapter;
  const { state, value } = result;
  if (part === 'startup') {
    const measured = value === undefined ? '' : `${short(value / 1000)} s`;
    return [where, 'cold start to the first training step', `≤ ${most / 1000} s`, measured, state];
  }
  const what = `${workload ?? `matmul ${product}`} against ${engineNames[against.join()]}`;
  const measured = value === undefined ? '' : `${short(value)}×`;
  return [where, what, `≥ ${least}×`, measured, state + whyMissed(result, least)];
}

/** What the floor says of a miss. */
function whyMissed({ state, own, floor, atFloor }, least) {
  if (state !== 'missed' || !floor) return '';
  const distance = `${short(own)} ms, a simple register tile's floor ${short(floor)} ms`;
  return atFloor < least
    ? `: ${distance}, which would be ${short(atFloor)}× and a miss as well`
    : `: ${distance}`;
}

const startup = perAdapter('startup', 'node bench/startup.js', (rows) =>
  markdownTable(
    ['engine, workload', 'cold, s', 'again, with the driver’s cache, s'],
    unique(rows.map(({ engine, workload }) => `${engine} ${workload}`)).map((key) => {
      const mine = rows.filter(({ engine, workload }) => `${engine} ${workload}` === key);
      const of = (cold) => {
        const row = mine.find((one) => one.cold === cold && !one.failed);
        return row ? spreadText(scaled(row.milliseconds, 1e-3)) : 'failed';
      };
      return [`${mine[0].name}, ${mine[0].workload}`, of(true), of(false)];
    }),
  ),
);
const scaled = ({ median, min, max }, by) => ({ median: median * by, min: min * by, max: max * by });

const host = perAdapter('host', 'node bench/host.js', (rows) =>
  markdownTable(
    ['workload', 'dispatches', 'µs a step', 'µs a dispatch', 'its calls alone, µs'],
    rows.map(({ workload, title, dispatches, microseconds, callsMicroseconds }) => [
      `${workload} ${title}`,
      `${dispatches}`,
      spreadText(microseconds),
      short(microseconds.median / dispatches),
      spreadText(callsMicroseconds),
    ]),
  ),
);

const predict = perAdapter('predict', 'node bench/predict.js', (rows) =>
  markdownTable(
    ['engine', 'one image, ms', 'images per second'],
    rows
      .filter(({ failed }) => !failed)
      .map((row) => [row.name, spreadText(row.latency), short(row.imagesPerSecond.median)]),
  ),
);

const fit = perAdapter('fit', 'node bench/fit.js', (rows) =>
  markdownTable(
    ['engine', 'what', 'seconds', 'loss', 'accuracy on the test part'],
    rows
      .filter(({ failed }) => !failed)
      .map((row) => [
        row.name,
        `${row.workload}, ${row.epochs} epochs`,
        short(row.seconds),
        row.loss.toFixed(3),
        percent(row.testAccuracy),
      ]),
  ),
);

const memory = perAdapter('memory', 'node bench/memory.js', (rows) =>
  markdownTable(
    ['engine', 'steps', 'process memory, MB', 'grown by, MB per 1,000 steps', 'live bytes', 'changed by'],
    rows
      .filter(({ failed }) => !failed)
      .map((row) => [
        row.name,
        row.steps.toLocaleString('en-US'),
        short(row.rss / 1e6),
        short(row.driftPerThousandSteps / 1e6),
        row.liveBytes === undefined ? '' : row.liveBytes.toLocaleString('en-US'),
        row.liveBytes === undefined ? '' : `${row.liveBytesDrift}`,
      ]),
  ),
);

const scaling = perAdapter('scaling', 'node bench/scaling.js', (rows, { key }) => {
  const table = markdownTable(
    ['curve', 'ms per step', 'knee'],
    rows.map(({ curve, points, knee }) => [
      curve,
      points.map(({ at, milliseconds }) => `${at}: ${short(milliseconds.median)}`).join(', '),
      knee === null ? 'none in reach' : short(knee),
    ]),
  );
  const pictures = rows.map(
    ({ curve }) => `![${curve}, ${title(key)}](performance/scaling-${key}-${firstWord(curve)}.svg)`,
  );
  return `${table}\n\n${pictures.join(' ')}`;
});

const ops = perAdapter('ops', 'node bench/ops.js', (rows) =>
  markdownTable(
    ['op', 'shapes', 'µs', 'GFLOP/s', 'GB/s', 'share of the ceiling'],
    rows
      .filter(({ failed }) => !failed)
      .map((row) => [
        row.op,
        row.shapes.map((shape) => shape.join('×')).join(' · '),
        short(1000 * row.milliseconds.median),
        short(row.gigaflops),
        short(row.gigabytes),
        percent(row.share),
      ]),
  ),
);

/** The short table of the README: W1 to W4 on each adapter, and what the others take. */
export function summary(adapters) {
  const measured = adapters.filter(
    ({ key, rows }) => !key.endsWith('-chromium') && ofPart(rows, 'steps').length > 0,
  );
  if (measured.length === 0) return 'Not measured yet: `node bench/steps.js`.';
  const peers = [
    ['TensorFlow.js WebGPU', ['tfjs']],
    ['jax-js WebGPU', ['jax']],
    ['the better of their WASM backends', wasm],
    ['PyTorch, CPU', ['torch']],
  ];
  const lines = measured.flatMap(({ key, rows }) => {
    const mine = ofPart(rows, 'steps').filter((row) => !row.failed && /^W\d/.test(row.workload));
    return unique(mine.map(({ workload }) => workload)).map((workload, i) => {
      const of = mine.filter((row) => row.workload === workload);
      const weft = of.find(({ engine }) => engine === 'weft');
      const ratios = peers.map(([, engines]) => {
        const those = of.filter(({ engine, ratio }) => engines.includes(engine) && ratio);
        return those.length < engines.length
          ? ''
          : `${short(Math.min(...those.map(({ ratio }) => ratio.median)))}×`;
      });
      return [i === 0 ? title(key) : '', weft.title, `${short(weft.milliseconds.median)} ms`, ...ratios];
    });
  });
  return markdownTable(['', 'network', 'Weft', ...peers.map(([name]) => name)], lines);
}

/** By the names of their markers, `<!-- bench: steps --> … <!-- end: steps -->`. */
export const sections = {
  targets: targetTable,
  steps,
  matmul,
  ceilings,
  floors,
  calls,
  kernels,
  host,
  startup,
  predict,
  fit,
  memory,
  scaling,
  ops,
};
