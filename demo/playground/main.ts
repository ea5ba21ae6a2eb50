/** The playground's page: settings in, pictures out; the worker in between does the work. */
import { Client } from './client.ts';
import {
  type Command,
  type Event,
  type Inspection,
  MAX_FILE_BYTES,
  type SaveFormat,
  type Settings,
} from './protocol.ts';
import { fromHash, toHash } from './url-state.ts';
import { ProbabilityBars } from './view/bars.ts';
import { Chart } from './view/chart.ts';
import { followTheme, theme, toggleTheme } from './view/colours.ts';
import { ConfusionTable } from './view/confusion.ts';
import { DataPanel } from './view/data.ts';
import { byId, find, say } from './view/dom.ts';
import { takeDrops } from './view/drop.ts';
import { placementOf } from './view/fit.ts';
import { count, decimal, megabytes, percent } from './view/format.ts';
import { whenSeen } from './view/frames.ts';
import { Messages } from './view/messages.ts';
import { MistakeList } from './view/mistakes.ts';
import { NetworkStrip } from './view/network.ts';
import { Pad } from './view/pad.ts';
import { SampleButtons } from './view/samples.ts';
import { SettingsForm } from './view/settings.ts';
import { listenToKeys } from './view/shortcuts.ts';
import { put, TrainBar } from './view/train-bar.ts';
import { WeightPictures } from './view/weights.ts';

/** Rebuilding a network compiles kernels: a number that is still being changed waits for this long. */
const SETTLE_MS = 350;
const MOST_WEIGHT_PICTURES = 256;
const MOST_MISTAKES = 8;

const { settings: first, complaints } = fromHash(location.hash);
let settings: Settings = first;
let classNames: readonly string[] = [];
let inspection: Inspection = { weights: 0, confusion: false, mistakes: 0 };
let looking: ReturnType<typeof setTimeout> | undefined;
let settling: ReturnType<typeof setTimeout> | undefined;

const client = new Client((event) => receive(event));
const post = (command: Command): void => client.post(command);

const messages = new Messages(() => client.restart());
const bar = new TrainBar({
  train: () => settled(() => post({ type: 'train' })),
  pause: () => post({ type: 'pause' }),
  step: () => settled(() => post({ type: 'step', count: 1 })),
  reset: () => settled(() => post({ type: 'reset' })),
});
const form = new SettingsForm({
  changed: change,
  learningRate(value) {
    settings = { ...settings, learningRate: value };
    writeAddress();
    post({ type: 'learningRate', value });
  },
});
const network = new NetworkStrip((layers) => change({ layers }));
const data = new DataPanel({
  post,
  chosen: (source) => change({ data: source }),
  refused: (title, message) => refuse(title, message, 'Choose a smaller file. Nothing was changed.'),
});
const lossChart = new Chart({ id: 'loss-chart', format: decimal, tick: String, floor: 0 });
const accuracyChart = new Chart({
  id: 'accuracy-chart',
  format: (value) => percent(value),
  tick: (value) => `${Number((100 * value).toFixed(2))} %`,
  floor: 0,
  ceiling: 1,
});
const weights = new WeightPictures();
const confusion = new ConfusionTable();
const bars = new ProbabilityBars();
let hasPicture = false;
const pad = new Pad((pixels) => {
  hasPicture = pixels !== null;
  if (!pixels) {
    bars.show(null);
    sayGuess('');
  }
  post({ type: 'picture', pixels });
});
const samples = new SampleButtons((bytes, name) => {
  pad.take(bytes);
  say(byId('picture-truth'), `It is: ${name}`);
});
const mistakes = new MistakeList(({ pixels, label }) => {
  pad.take(pixels);
  say(byId('picture-truth'), `It is: ${classNames[label]}`);
  byId('try').scrollIntoView({ block: 'nearest', behavior: 'smooth' });
});

type Of<Type extends Event['type']> = Extract<Event, { type: Type }>;

/** What is done about each thing that the worker has to say. */
const on: { readonly [Type in Event['type']]: (event: Of<Type>) => void } = {
  ready,
  state: ({ training }) => bar.state(training),
  progress(event) {
    bar.progress(event);
    lossChart.add('training', event.step, event.loss);
    accuracyChart.add('training', event.step, event.accuracy);
  },
  validation(event) {
    bar.validation(event);
    lossChart.add('validation', event.step, event.loss);
    accuracyChart.add('validation', event.step, event.accuracy);
  },
  weights: (event) => weights.show(event),
  confusion: (event) => confusion.show(event),
  mistakes: (event) => mistakes.show(event),
  probabilities: ({ values }) => judge(values),
  busy: (event) => bar.working(event),
  kept: (event) => data.keep(event),
  dataProgress: (event) => data.downloading(event),
  dataMissing: (event) => data.missing(event),
  saved: ({ name, bytes }) => download(name, bytes),
  notice: ({ text }) => messages.note(text),
  failure: fail,
  explained() {}, // demo/explain asks for it
};

function receive(event: Event): void {
  (on[event.type] as (event: Event) => void)(event);
}

function fail(event: Of<'failure'>): void {
  const isHopeless = event.code === 'NO_WEBGPU' || event.code === 'NO_ADAPTER';
  data.settle();
  bar.working({ type: 'busy', what: null });
  if (event.canRestart || isHopeless) bar.halt();
  messages.fail(event, isHopeless && !event.canRestart);
}

function ready(event: Of<'ready'>): void {
  messages.clear();
  settings = event.settings;
  classNames = event.data.classNames;
  writeAddress();
  form.show(settings);
  network.show(settings.layers);
  network.ready(event);
  data.ready(event.data);
  bar.ready(event);
  lossChart.clear();
  accuracyChart.clear();
  weights.clear(event.editable && settings.layers.length === 0 ? classNames : null);
  confusion.reset(classNames);
  mistakes.reset(classNames);
  bars.reset(classNames);
  pad.place(placementOf(event.data.samples));
  const sample = samples.ready(event.data);
  if (pad.suggest(sample.bytes)) say(byId('picture-truth'), `It is: ${sample.name}`);
  put('Parameters', event.parameters, count(event.parameters));
  put('Adapter', null, event.adapter.name);
  byId('software').hidden = !event.adapter.isSoftware;
}

/** New settings, shown at once and sent when they have settled. */
function change(part: Partial<Settings>): void {
  settings = { ...settings, ...part };
  writeAddress();
  clearTimeout(settling);
  settling = setTimeout(() => settled(), SETTLE_MS);
}

/** Sends what waits, then goes on. */
function settled(then?: () => void): void {
  if (settling !== undefined) {
    clearTimeout(settling);
    settling = undefined;
    post({ type: 'configure', settings });
  }
  then?.();
}

/** What nobody sees, nobody needs to compute. */
function look(what: Partial<Inspection>): void {
  inspection = { ...inspection, ...what };
  clearTimeout(looking);
  looking = setTimeout(() => post({ type: 'inspect', what: inspection }), 100);
}

function writeAddress(): void {
  const hash = toHash(settings);
  if (hash !== location.hash) history.replaceState(null, '', hash);
  byId<HTMLAnchorElement>('explain-link').hash = hash;
}

function judge(values: Float32Array): void {
  if (!hasPicture) return; // the sheet was cleared while this was under way
  bars.show(values);
  sayGuess(bars.best());
}

let guessTimer: ReturnType<typeof setTimeout> | undefined;

/** Shown at once, and said once the pen rests. */
function sayGuess(name: string): void {
  if (byId('guess').textContent === name) return;
  say(byId('guess'), name);
  clearTimeout(guessTimer);
  guessTimer = setTimeout(() => say(byId('guess-said'), name && `Looks like: ${name}`), 800);
}

function refuse(title: string, message: string, fix: string): void {
  messages.fail({ title, message, fix, canRestart: false });
}

function openModel(file: File): void {
  if (file.size > MAX_FILE_BYTES) {
    const most = `${MAX_FILE_BYTES / 2 ** 20} MiB`;
    const message = `${file.name} has ${megabytes(file.size)}; at most ${most} are read.`;
    refuse('The file is too large', message, 'Choose a smaller file. Nothing was changed.');
  } else {
    post({ type: 'load', file });
  }
}

function openPicture(file: File): void {
  say(byId('picture-truth'), '');
  pad
    .open(file)
    .catch((error: Error) => refuse('No picture', `${file.name}: ${error.message}`, 'Try a PNG or JPEG.'));
}

function download(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function whenFileChosen(id: string, open: (file: File) => void): void {
  byId<HTMLInputElement>(id).addEventListener('change', ({ target }) => {
    const input = target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) open(file);
    input.value = ''; // the same file may be opened again
  });
}

function sayTheme(): void {
  const other = theme() === 'dark' ? 'Light' : 'Dark';
  byId('theme').setAttribute('aria-label', `${other} colours`);
  byId('theme').title = `${other} colours`;
}

async function share(): Promise<void> {
  const word = find(byId('share'), '.word');
  try {
    await navigator.clipboard.writeText(location.href);
    say(word, 'Copied');
    setTimeout(() => say(word, 'Share'), 2000);
  } catch {
    messages.note(`The address holds all settings; copy it from here: ${location.href}`);
  }
}

followTheme(sayTheme);
sayTheme();
byId('theme').addEventListener('click', () => {
  toggleTheme();
  sayTheme();
});
byId('share').addEventListener('click', share);
byId('save').addEventListener('click', () =>
  post({ type: 'save', format: byId<HTMLSelectElement>('save-format').value as SaveFormat }),
);
whenFileChosen('model-file', openModel);
whenFileChosen('picture-file', openPicture);
byId('pad').addEventListener('pointerdown', () => say(byId('picture-truth'), ''));
byId('clear-drawing').addEventListener('click', () => say(byId('picture-truth'), ''));
takeDrops({ model: openModel, data: (files) => data.open(files), picture: openPicture });
listenToKeys({
  t: () => bar.toggle(),
  s: () => byId('step').click(),
  r: () => byId('reset').click(),
  c: () => pad.clear(),
});
whenSeen(byId('weights'), (isSeen) => look({ weights: isSeen ? MOST_WEIGHT_PICTURES : 0 }));
whenSeen(byId('confusion'), (isSeen) => look({ confusion: isSeen }));
whenSeen(byId('mistakes'), (isSeen) => look({ mistakes: isSeen ? MOST_MISTAKES : 0 }));
addEventListener('hashchange', () => {
  const { settings: wanted, complaints } = fromHash(location.hash);
  if (complaints.length > 0) messages.note(complaints.join(' '));
  form.show(wanted);
  network.show(wanted.layers);
  data.show(wanted.data);
  change(wanted);
});

form.show(settings);
network.show(settings.layers);
data.show(settings.data);
if (complaints.length > 0) messages.note(complaints.join(' '));
client.start(settings);
