/**
 * `weft doctor`: the adapter and what it offers, every op of the library against its float64 twin, and the
 * speed of the main kernels.
 *
 * Exit codes: 0 all right; 1 an op computes wrongly; 2 there is no WebGPU here, or the options make no sense.
 */
import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release } from 'node:os';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { adapterHelp, findAdapters, importDawn, libraryFolders, quietly } from './support/dawn.js';

const HELP = `Finds out whether Weft computes rightly on this machine, and how fast.

  npx weft-gpu doctor [options]

  --json          one JSON object on stdout, nothing else there
  --ops a,b       these ops only; default all
  --no-speed      leave the speeds out
  --help          this text

Exit code 0: all right; 1: an op computes wrongly; 2: no WebGPU here.`;

/** What Weft does with a feature, and what it does without. */
const FEATURES = {
  'shader-f16': ['half precision where a model asks for it', 'everything in f32, nothing is lost'],
  subgroups: ['matrix products by subgroup broadcast', 'products by workgroup memory or registers'],
  'timestamp-query': ['kernel times by the GPU itself', 'kernel times by the clock, which are coarser'],
};

/** Dawn aborts the process when its instance is collected while a device lives. */
let instance;

/** Runs the command and gives its exit code. */
export async function doctor(args) {
  let options;
  try {
    options = parseArgs({
      args,
      options: {
        json: { type: 'boolean', default: false },
        ops: { type: 'string' },
        'no-speed': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`weft doctor: ${error.message}\nSee npx weft-gpu doctor --help`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  try {
    return await examine(options);
  } catch (error) {
    return fail(options, error);
  }
}

/** What goes wrong before there is a device is told in words, also as JSON. */
function fail({ json }, error) {
  const message = error instanceof Error ? error.message : String(error);
  if (json) console.log(JSON.stringify({ machine: machine(), ok: false, error: message }, null, 2));
  else console.error(message);
  return 2;
}

async function examine(options) {
  const { json, ops } = options;
  const print = json ? () => {} : (line = '') => console.log(line);
  const style = styles(json);
  print(style.bold(`Weft ${version()} doctor`));
  print(table(Object.entries(machine()).map(([name, value]) => [`  ${name}`, value])));

  const { create } = await importDawn();
  // Without a Vulkan loader Dawn complains on stderr, in words of its own.
  if (platform() === 'linux' && libraryFolders().length === 0) throw new Error(adapterHelp());
  // Native warnings about limits that Weft does not use.
  const [gpu, asked] = quietly(() => {
    const made = create([]);
    return [made, made.requestAdapter()];
  });
  instance = gpu;
  const adapter = await asked.catch(() => null);
  if (!adapter) {
    const seen = await quietly(() => findAdapters(create));
    throw new Error(adapterHelp(seen.length > 0 ? ['  Dawn sees, but does not take:', ...seen] : []));
  }

  const { init, registry, selfTest, speedTest } = await import('../dist/index.js');
  const names = ops === undefined ? undefined : ops.split(',').map((name) => name.trim());
  const unknown = names?.filter((name) => !registry.has(name)) ?? [];
  if (unknown.length > 0)
    throw new Error(
      `weft doctor: --ops: no op is called '${unknown.join("', '")}'. Known: ${[...registry.keys()].join(', ')}.`,
    );
  const engine = await init({ gpu: instance });
  const facts = describe(engine.profile, adapter);
  printFacts(facts, print, style);

  const progress = progressLine(json);
  const test = await selfTest({ engine, ops: names, onProgress: progress.show });
  progress.clear();
  printVerdicts(test, print, style);

  const speeds = options['no-speed'] ? [] : await speedTest({ engine });
  if (speeds.length > 0) printSpeeds(speeds, print, style);
  await engine.close();

  const ok = test.failed === 0;
  const count = `${test.passed} of ${test.passed + test.failed} checks of ${test.ops.length} ops in ${test.seconds.toFixed(0)} s`;
  print(`\n${ok ? style.green('All right') : style.red('Not right')}: ${count}`);
  if (!ok)
    print('Please report it with the output of npx weft-gpu doctor --json: a driver or a kernel is wrong.');
  if (json)
    console.log(JSON.stringify({ weft: version(), machine: machine(), ...facts, ok, test, speeds }, null, 2));
  return ok ? 0 : 1;
}

const version = () => JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

function machine() {
  const [cpu, ...others] = cpus();
  return {
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpu ? `${others.length + 1} × ${cpu.model.trim()}` : 'unknown',
  };
}

/** The adapter in plain data. */
function describe(
  { vendor, architecture, device, description, isSoftware, backendName, features, limits, subgroups },
  adapter,
) {
  return {
    adapter: { vendor, architecture, device, description, isSoftware, backendName, subgroups },
    features: Object.fromEntries(Object.keys(FEATURES).map((name) => [name, features.has(name)])),
    adapterFeatures: [...adapter.features].sort(),
    limits: { ...limits },
  };
}

function printFacts({ adapter, features, limits }, print, style) {
  const { subgroups, isSoftware } = adapter;
  const name = adapter.description || adapter.device || 'unnamed adapter';
  print(`\n${style.bold('Adapter')}`);
  print(
    table([
      ['  name', `${name}${isSoftware ? ' (software: computes on the CPU)' : ''}`],
      ['  vendor', [adapter.vendor, adapter.architecture].filter(Boolean).join(', ') || 'not told'],
      ['  tuned as', adapter.backendName],
      ['  subgroups', subgroups ? `${subgroups.min} to ${subgroups.max} lanes` : 'no'],
      [
        '  workgroup',
        `${limits.maxComputeInvocationsPerWorkgroup} lanes, ${bytes(limits.maxComputeWorkgroupStorageSize)} of memory`,
      ],
      [
        '  storage',
        `${limits.maxStorageBuffersPerShaderStage} buffers, ${bytes(limits.maxStorageBufferBindingSize)} a binding, ${bytes(limits.maxBufferSize)} a buffer`,
      ],
    ]),
  );
  print(`\n${style.bold('Features')}`);
  print(
    table(
      Object.entries(FEATURES).map(([feature, [use, instead]]) =>
        features[feature]
          ? [`  ${style.green('✓')} ${feature}`, use]
          : [`  ${style.yellow('–')} ${feature}`, `not here: ${instead}`],
      ),
    ),
  );
  if (isSoftware)
    print('\n  No GPU is used. For one, install its Vulkan driver (Linux) or update the graphics driver.');
}

function printVerdicts({ ops, results }, print, style) {
  print(`\n${style.bold('Ops')}   worst error as a share of what WGSL allows: value, gradient`);
  const share = (worst) =>
    worst === null
      ? '–'
      : Number.isFinite(worst)
        ? worst === 0
          ? 'exact'
          : `${percent(worst)}`
        : 'no number';
  const cells = ops.map(({ op, worstValue, worstGradient, passed }) => [
    `  ${passed ? style.green('✓') : style.red('✗')} ${op}`,
    share(worstValue).padStart(9),
    share(worstGradient).padStart(9),
  ]);
  print(inColumns(table(cells).split('\n')));
  const wrong = results.filter(({ passed }) => !passed);
  for (const { op, case: one, kind, error, bound, message } of wrong.slice(0, 20)) {
    const what = message?.split('\n')[0] ?? `off by ${small(error)}, allowed ${small(bound)}`;
    print(`  ${style.red('✗')} ${op} of ${one || 'no input'}, ${kind}: ${what}`);
  }
  if (wrong.length > 20) print(`  … and ${wrong.length - 20} more; --json has all of them`);
}

function printSpeeds(speeds, print, style) {
  print(`\n${style.bold('Speed')}`);
  print(
    table([
      ['  kernel', 'work', 'time'.padStart(10), 'GFLOP/s'.padStart(9), 'GB/s'.padStart(8)],
      ...speeds.map(({ kernel, work, microseconds, gigaflops, gigabytes }) => [
        `  ${kernel}`,
        work,
        duration(microseconds).padStart(10),
        figures(gigaflops).padStart(9),
        figures(gigabytes).padStart(8),
      ]),
    ]),
  );
}

// ---- text

const percent = (share) => {
  if (share >= 10) return `${figures(share)} ×`;
  return share > 0 && share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
};
const small = (x) => (x < 1e-3 ? x.toExponential(2) : x.toPrecision(3));
const figures = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
const duration = (us) =>
  us < 1000 ? `${us.toFixed(us < 10 ? 1 : 0)} µs` : `${(us / 1000).toFixed(us < 1e4 ? 2 : 1)} ms`;

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let at = 0;
  let size = count;
  for (; size >= 1024 && at < units.length - 1; at++) size /= 1024;
  return `${Number(size.toFixed(1))} ${units[at]}`;
}

const widthOf = (text) => stripVTControlCharacters(text).length;
const padded = (text, width) => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** Rows of cells below each other. */
function table(rows) {
  const widths = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  return rows
    .map((row) =>
      row
        .map((cell, i) => padded(cell, widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Short lines side by side, as many as the terminal takes; they read downwards. */
function inColumns(lines) {
  const width = Math.max(...lines.map(widthOf)) + 1;
  const columns = Math.max(1, Math.floor((process.stdout.columns || 80) / width));
  const rows = Math.ceil(lines.length / columns);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => padded(lines[column * rows + row] ?? '', width))
      .join('')
      .trimEnd(),
  ).join('\n');
}

function styles(plain) {
  const color = !plain && process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const style = (code) => (text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { bold: style(1), green: style(32), yellow: style(33), red: style(31) };
}

/** A line on stderr that counts up where somebody watches. */
function progressLine(silent) {
  const { stderr } = process;
  const visible = stderr.isTTY && !silent;
  let drawnAt = 0;
  return {
    show(done, total) {
      if (!visible || (performance.now() - drawnAt < 80 && done < total)) return;
      drawnAt = performance.now();
      stderr.write(`\r\x1b[KChecking the ops: ${done} of ${total} cases`);
    },
    clear() {
      if (visible) stderr.write('\r\x1b[K');
    },
  };
}
