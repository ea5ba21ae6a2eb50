/** The worker that trains: commands in, events out, one command after the other. */
import { type Engine, init } from 'weft-gpu';
import { drawGarments, type Pictures, picturesFrom, readFiles } from './data.ts';
import { fetchFiles } from './data-fetch.ts';
import { forget, keep, keptSources, openKept } from './data-store.ts';
import { describeFailure } from './failure.ts';
import { buildNetwork, type Network, readNetwork, settingsOf } from './network.ts';
import type { Command, DataSource, Event, Settings } from './protocol.ts';
import { Trainer } from './trainer.ts';

/** Where the published files lie, for sources that are not kept here yet. */
const PUBLISHED: Partial<Record<DataSource, string>> = {
  fashion_mnist: 'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
  mnist: 'https://storage.googleapis.com/cvdf-datasets/mnist/',
};

function post(event: Event): void {
  // Up to a megabyte, a few times a second: handed over, not copied.
  const transfer = event.type === 'weights' ? [event.values.buffer] : [];
  globalThis.postMessage(event, { transfer });
}

let engine: Engine | null = null;
let trainer: Trainer | null = null;
/** As they are in force. */
let settings: Settings | null = null;
let download: AbortController | null = null;
let isDead = false;

function fail(error: unknown): void {
  if (isDead) return;
  const lost = engine?.lost ?? null;
  isDead = lost !== null;
  post({ type: 'state', training: trainer?.isTraining ?? false });
  post(describeFailure(lost ?? error, isDead));
}

let opening: Promise<Trainer> | null = null;

/** The trainer on its device; tried again where that failed. */
function open(): Promise<Trainer> {
  opening ??= openDevice().catch((error) => {
    opening = null;
    throw error;
  });
  return opening;
}

async function openDevice(): Promise<Trainer> {
  const opened = await init();
  engine = opened;
  opened.device.lost.then(({ reason, message }) => {
    // Whoever waits for the device hears it too, but while paused nobody does.
    if (opened.lost) fail(opened.lost);
    else if (reason !== 'destroyed') fail(new Error(message));
  });
  trainer = new Trainer(opened, { post, fail, isHurried: () => waiting > 0 });
  // For the curious, in the console of the worker.
  Object.assign(globalThis, { playground: { engine: opened, trainer } });
  return trainer;
}

async function busily<T>(what: string, task: () => Promise<T>): Promise<T> {
  post({ type: 'busy', what });
  try {
    return await task();
  } finally {
    post({ type: 'busy', what: null });
  }
}

/** Pictures of a source without asking anybody, or null. */
async function findPictures(source: DataSource): Promise<Pictures | null> {
  if (trainer?.pictures?.source === source) return trainer.pictures;
  if (source === 'garments') return busily('Drawing garments', async () => drawGarments());
  return busily('Reading the kept pictures', () => openKept(source));
}

/** A network with pictures takes the place of what is there. */
async function take(network: Network, pictures: Pictures, wanted: Settings): Promise<void> {
  const one = await open();
  await busily('Compiling kernels', () => one.take(network, pictures, { ...wanted, data: pictures.source }));
  settings = { ...settingsOf(network.model, wanted).settings, data: pictures.source };
}

async function configure(wanted: Settings): Promise<void> {
  settings ??= wanted;
  // The device opens while pictures are drawn.
  const device = open();
  device.catch(() => {});
  const pictures = await findPictures(wanted.data);
  const one = await device;
  if (pictures) return take(buildNetwork(wanted), pictures, wanted);
  // What is there stays; at the start there is nothing yet.
  const stays = one.pictures ?? (await findPictures('garments'))!;
  await take(buildNetwork(wanted), stays, wanted);
  post({
    type: 'dataMissing',
    source: wanted.data,
    advice:
      wanted.data === 'file'
        ? 'Drop your files again: this browser does not keep them.'
        : 'Drop its files (images and labels), or fetch them from an address.',
    address: PUBLISHED[wanted.data] ?? '',
  });
}

async function takeFiles(files: Parameters<typeof picturesFrom>[0]): Promise<void> {
  const pictures = await busily('Reading the files', () => picturesFrom(files));
  await take(buildNetwork(settings!), pictures, settings!);
  if (await keep(pictures)) post({ type: 'kept', sources: await keptSources() });
  else
    post({
      type: 'notice',
      text: 'This browser does not keep files for this page: drop them again next time.',
    });
}

/** Everything else goes on while data are on their way. Of two downloads the later one counts. */
async function fetchData(address: string): Promise<void> {
  download?.abort();
  const mine = new AbortController();
  download = mine;
  try {
    const files = await fetchFiles(address, {
      signal: mine.signal,
      onProgress: (file, received, total) => post({ type: 'dataProgress', file, received, total }),
    });
    await enqueue(() => takeFiles(files));
  } catch (error) {
    // Nobody wants to hear of a download that was replaced.
    if (download === mine) throw error;
  } finally {
    if (download === mine) download = null;
  }
}

async function handle(command: Command): Promise<void> {
  if (isDead) return;
  if (!trainer?.pictures && needsNetwork.has(command.type)) return;
  switch (command.type) {
    case 'configure':
      return configure(command.settings);
    case 'reset':
      return take(buildNetwork(settings!), trainer!.pictures!, settings!);
    case 'train':
      return trainer!.train();
    case 'pause':
      return trainer!.pause();
    case 'step':
      return trainer!.step(command.count);
    case 'learningRate':
      trainer!.learningRate = command.value;
      settings = { ...settings!, learningRate: command.value };
      return;
    case 'picture':
      return trainer?.show(command.pixels);
    case 'inspect':
      return trainer?.look(command.what);
    case 'openData':
      return takeFiles(await readFiles(command.files));
    case 'fetchData':
      return fetchData(command.address);
    case 'cancelData':
      return download?.abort();
    case 'forgetData':
      await forget(command.source);
      return post({ type: 'kept', sources: await keptSources() });
    case 'save':
      return trainer!.quietly(async ({ network }) => {
        const bytes = await network.model.toBytes(command.format);
        post({ type: 'saved', name: `weft-playground.${command.format}`, bytes });
      });
    case 'load':
      return take(await readNetwork(command.file, settings!), trainer!.pictures!, settings!);
    case 'explain':
      return trainer!.quietly(async (experiment) => {
        post({ type: 'explained', profile: await experiment.explain() });
      });
  }
}

const needsNetwork = new Set<Command['type']>([
  'reset',
  'train',
  'pause',
  'step',
  'learningRate',
  'load',
  'save',
  'explain',
]);

let queue: Promise<void> = keptSources().then((sources) => post({ type: 'kept', sources }));
/** Tasks in the queue that nobody has begun with. */
let waiting = 0;

function enqueue(task: () => Promise<void> | void): Promise<void> {
  waiting++;
  const done = queue.then(async () => {
    waiting--;
    await task();
    if (waiting === 0 && !isDead) await trainer?.catchUp();
  });
  queue = done.catch(() => {});
  return done;
}

/** Not to be kept waiting: these change nothing that others rely on. */
const isUrgent = ({ type }: Command): boolean =>
  type === 'fetchData' || type === 'cancelData' || (type === 'picture' && trainer !== null);

globalThis.addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  const handled = isUrgent(command) ? handle(command) : enqueue(() => handle(command));
  handled.catch(fail);
});
