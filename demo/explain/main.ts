/** The page for `model.explain()`: choose a network, see the kernels of its step, read each one's WGSL. */
import type { Explanation, PlannedOperand, TimedKernel } from 'weft-gpu';
import { describeFailure } from '../playground/failure.ts';
import { LIMITS, OPTIMIZERS, type OptimizerName } from '../playground/protocol.ts';
import { followTheme, theme, toggleTheme } from '../playground/view/colours.ts';
import { byId, make, say } from '../playground/view/dom.ts';
import { copyText } from '../shared/copy.ts';
import { workingEngine } from '../shared/engine.ts';
import { amount, bytes, duration, share } from '../shared/units.ts';
import { type Asked, addressOf, askedBy, buildModel, type StepName, written } from './asked.ts';
import { KernelGraph } from './graph.ts';

const TITLES: Readonly<Record<StepName, string>> = {
  train: 'One training step',
  evaluate: 'One evaluation step',
  predict: 'One prediction',
};

const fields = {
  net: byId<HTMLInputElement>('net'),
  optimizer: byId<HTMLSelectElement>('optimizer'),
  batch: byId<HTMLInputElement>('batch'),
  step: byId<HTMLSelectElement>('step'),
};
const button = byId<HTMLButtonElement>('explain');
const graph = new KernelGraph(byId('graph'), showDetail);
let asked: Asked = askedBy(location.hash);

fields.optimizer.append(...OPTIMIZERS.map((name) => make('option', { value: name }, name)));
fields.batch.min = String(LIMITS.batchSize.least);
fields.batch.max = String(LIMITS.batchSize.most);

function fill({ settings, step }: Asked): void {
  fields.net.value = written(settings);
  fields.optimizer.value = settings.optimizer;
  fields.batch.value = String(settings.batchSize);
  fields.step.value = step;
}

/** The fields as an address, so that one reader judges both. */
function typed(): Asked {
  const net = fields.net.value.replace(/\s+/g, '') || 'none';
  const { settings } = asked;
  const whole = addressOf(
    { ...settings, optimizer: fields.optimizer.value as OptimizerName },
    fields.step.value as StepName,
  );
  const pairs = new URLSearchParams(whole.slice(1));
  pairs.set('net', net);
  pairs.set('batch', fields.batch.value);
  return askedBy(decodeURIComponent(pairs.toString()));
}

async function explain(): Promise<void> {
  const { settings, step, complaints } = asked;
  fill(asked);
  const address = addressOf(settings, step);
  if (location.hash !== address) history.replaceState(null, '', address);
  byId<HTMLAnchorElement>('playground-link').hash = address.replace(/&step=\w+$/, '');
  notice(complaints);
  button.disabled = true;
  say(byId('title'), TITLES[step]);
  say(byId('status'), 'Compiling and measuring …');
  let model: ReturnType<typeof buildModel> | null = null;
  try {
    await workingEngine();
    model = buildModel(settings);
    const told = await model.explain({ step, batchSize: settings.batchSize, inputDtype: 'u8' });
    showSums(told);
    graph.show(told.kernels);
    const slowest = told.kernels.reduce((a, b) => ((b.microseconds ?? 0) > (a.microseconds ?? 0) ? b : a));
    graph.select(slowest.index);
  } catch (error) {
    const { title, message, fix } = describeFailure(error);
    say(byId('status'), title);
    notice([message, fix]);
  } finally {
    model?.dispose();
    button.disabled = false;
  }
}

function notice(lines: readonly string[]): void {
  const box = byId('notice');
  box.hidden = lines.length === 0;
  box.replaceChildren(...lines.map((line) => make('p', {}, line)));
}

function showSums(told: Explanation): void {
  const { kernels, pipelines, arenaBytes, flops, bytesRead, bytesWritten, stepMicroseconds, timedBy } = told;
  const perSecond = (count: number): string => amount((count / (stepMicroseconds ?? 1)) * 1e6);
  say(
    byId('status'),
    `Batch of ${told.batchSize} on ${told.adapter || 'this adapter'}; kernels timed ${timedBy === 'clock' ? 'by the clock' : 'by the GPU itself'}`,
  );
  const pairs: [string, string][] = [
    ['Dispatches', String(kernels.length)],
    ['Pipelines', String(pipelines)],
    ['A step', duration(stepMicroseconds ?? 0)],
    ['Arithmetic', `${amount(flops)}FLOP`],
    ['Read', bytes(bytesRead)],
    ['Written', bytes(bytesWritten)],
    ['Between kernels', bytes(arenaBytes)],
    ['Speed', `${perSecond(flops)}FLOP/s`],
    ['Traffic', `${perSecond(bytesRead + bytesWritten)}B/s`],
  ];
  byId('sums').replaceChildren(
    ...pairs.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
}

function showDetail(kernel: TimedKernel): void {
  const { index, parts, reads, writes, constants, tuning } = kernel;
  byId('detail').hidden = false;
  say(byId('detail-title'), `Kernel ${index}: ${kernel.label}`);
  say(byId('flow'), flowOf(kernel));
  const values = Object.entries({ ...constants, ...tuning?.tuning });
  const pairs: [string, string][] = [
    [
      'Time',
      kernel.microseconds === null
        ? 'not measured'
        : `${duration(kernel.microseconds)}, ${share(kernel.share ?? 0)} of the kernels' time`,
    ],
    ['Arithmetic', `${amount(kernel.flops)}FLOP`],
    ['Bytes', `${bytes(kernel.bytesRead)} read, ${bytes(kernel.bytesWritten)} written`],
    ['Workgroups', kernel.workgroups.join(' × ')],
    ['Storage buffers', `${kernel.storageBuffers} of the 8 that every adapter has`],
    ['Variant', tuning ? `${tuning.family}, ${FROM[tuning.from]}` : 'the only one'],
    ['Constants', values.map(([name, value]) => `${name} ${value}`).join(', ') || 'none'],
    ['Pipeline', kernel.pipeline === index ? 'its own' : `that of kernel ${kernel.pipeline}`],
  ];
  byId('facts').replaceChildren(
    ...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
  );
  byId('operands').replaceChildren(
    ...reads.map((one) => operand('reads', one)),
    ...writes.map((one) => operand('writes', one)),
  );
  say(byId('wgsl'), kernel.shader);
  say(byId('copied'), '');
  byId('detail').dataset.parts = String(parts.length);
}

const FROM = {
  static: 'chosen by rule',
  pinned: 'pinned',
  cached: 'measured earlier',
  measured: 'measured now',
} as const;

/** How what the user wrote became this kernel, in a sentence. */
function flowOf({ parts, tensors }: TimedKernel): string {
  const count = (which: string): number => parts.filter(({ part }) => part === which).length;
  const [loads, own, stores] = ['load', 'kernel', 'store'].map(count);
  const ops = (number: number): string => `${number} ${number === 1 ? 'op' : 'ops'}`;
  const melted = [
    loads > 0 && `${ops(loads)} computed while it loads`,
    stores > 0 && `${ops(stores)} while it stores`,
  ].filter(Boolean);
  const whole = `${ops(loads + own + stores)} in one dispatch`;
  const several = tensors > 1 ? `, for ${tensors} tensors at once` : '';
  return `${whole}${several}${melted.length > 0 ? `: ${ops(own)} of its own, ${melted.join(', ')}` : ''}.`;
}

function operand(verb: string, { name, shape, dtype, bytes: size, from }: PlannedOperand): HTMLElement {
  const origin = from === null ? '' : `, made by kernel ${from}`;
  return make(
    'li',
    {},
    make('b', {}, verb),
    ` ${name ? `${name} ` : ''}[${shape.join(', ')}] ${dtype}, ${bytes(size)}${origin}`,
  );
}

function labelTheme(): void {
  byId('theme').setAttribute('aria-label', theme() === 'dark' ? 'Light colours' : 'Dark colours');
}

byId('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  asked = typed();
  explain();
});
window.addEventListener('hashchange', () => {
  asked = askedBy(location.hash);
  explain();
});
byId('copy').addEventListener('click', async () => {
  const done = await copyText(byId('wgsl').textContent ?? '');
  say(byId('copied'), done ? 'Copied' : 'The browser refused to copy.');
});
byId('theme').addEventListener('click', () => {
  toggleTheme();
  labelTheme();
});
// What scrolls must be reachable by keyboard, in browsers that do not see to it.
for (const id of ['text', 'detail']) byId(id).tabIndex = 0;
followTheme(labelTheme);
labelTheme();
explain();
