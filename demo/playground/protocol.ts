/**
 * What the page and the worker that trains say to each other: plain data, posted.
 *
 * The page sends commands, the worker sends events; neither waits. A command that cannot be carried out
 * changes nothing and is answered by a `failure` that names it.
 *
 * Names by which tests and screen readers find things in the page:
 *
 * | role and name | what |
 * |---|---|
 * | button Train / Pause | one button, named after what it does next |
 * | button Step, button Reset | one training step; new weights from the same seed |
 * | combobox Data, Optimizer; spinbutton Learning rate, Batch size, Seed, Validation share (in percent) | settings |
 * | spinbutton Units of layer 1, combobox Activation of layer 1, button Remove layer 1, button Add layer | the network, from 1 |
 * | label Open data files, label Open model file | file inputs (the page also takes dropped files) |
 * | textbox Data address, button Fetch, button Cancel | data from an address, while they come a progressbar Data |
 * | combobox File format, button Save model | a download |
 * | status Steps, Epoch, Loss, Accuracy, Validation loss, Validation accuracy, Steps per second, Images per second, Dispatches per step, Parameters, Adapter | `<output aria-label>` with the number as text |
 * | img Drawing, button Clear drawing | the canvas to draw on (focusable; arrows move, space paints) |
 * | meter T-shirt/top … | ten, named after their classes, aria-valuenow from 0 to 1 |
 * | img Loss curve, img Accuracy curve; figure First-layer weights; table Confusion matrix; list Worst mistakes | pictures |
 * | alert | a failure: its title, message and fix, as text; button Restart where `canRestart`, else button Dismiss |
 * | note (role=note) Notice | what is worth knowing and no failure: `notice` events, nonsense in an address |
 *
 * Outputs carry their number as `data-value`, absent where there is none. What is out of sight is neither
 * computed nor drawn: a test scrolls to a picture before it reads it.
 */
import type { StepProfile } from 'weft-gpu';

// ---- settings

export const DATA_SOURCES = ['garments', 'fashion_mnist', 'mnist', 'file'] as const;
/**
 * garments: drawn on the spot. fashion_mnist, mnist: the published files, from where they were kept last time,
 * else to be dropped or fetched. file: the files dropped last, whatever they show.
 */
export type DataSource = (typeof DATA_SOURCES)[number];

export const ACTIVATIONS = [
  'relu',
  'sigmoid',
  'tanh',
  'linear',
  'leakyRelu',
  'elu',
  'selu',
  'gelu',
  'silu',
  'softplus',
] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];

export const OPTIMIZERS = ['sgd', 'momentum', 'rmsprop', 'adam', 'adamw', 'adagrad'] as const;
/** momentum: sgd with momentum 0.9. */
export type OptimizerName = (typeof OPTIMIZERS)[number];

export interface LayerSettings {
  readonly units: number;
  readonly activation: ActivationName;
}

/** Everything that a shared address holds. */
export interface Settings {
  readonly data: DataSource;
  /** The hidden layers; the ten outputs follow by themselves. None: a linear classifier. */
  readonly layers: readonly LayerSettings[];
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly batchSize: number;
  /** Of the weights and of the order of the images. */
  readonly seed: number;
  /** The share of the images, drawn by the seed, that is kept for validation. */
  readonly validationShare: number;
}

/** What a setting may be. */
export const LIMITS = {
  layers: { most: 6 },
  units: { least: 1, most: 4096 },
  learningRate: { least: 1e-6, most: 10 },
  batchSize: { least: 1, most: 4096 },
  seed: { least: 0, most: 2 ** 31 - 1 },
  validationShare: { least: 0.01, most: 0.5 },
} as const;

export const DEFAULTS: Settings = {
  data: 'garments',
  layers: [{ units: 128, activation: 'relu' }],
  optimizer: 'adam',
  learningRate: 0.001,
  batchSize: 64,
  seed: 1,
  validationShare: 0.1,
};

/** A sensible learning rate for an optimizer that was just chosen. */
export const USUAL_RATE: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.05,
  momentum: 0.02,
  rmsprop: 0.001,
  adam: 0.001,
  adamw: 0.001,
  adagrad: 0.01,
};

/** Height and width of a picture, and its pixels. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

// ---- files

export const SAVE_FORMATS = ['keras', 'h5', 'weights.h5', 'safetensors'] as const;
/** keras and h5: whole models; weights.h5 and safetensors: weights alone. */
export type SaveFormat = (typeof SAVE_FORMATS)[number];

/** Files larger than this are refused before they are read. */
export const MAX_FILE_BYTES = 128 * 2 ** 20;

/** A file of the user. The page passes the `File` on unread: the worker reads it. */
export type GivenFile = File;

// ---- page to worker

export type Command =
  /** New data (where they differ from the present ones), new network, step 0, paused. Answered by `ready`. */
  | { readonly type: 'configure'; readonly settings: Settings }
  /** New weights and step 0 for the present settings, paused. Answered by `ready`. */
  | { readonly type: 'reset' }
  /** Goes on until `pause`. Answered by `state`. */
  | { readonly type: 'train' }
  | { readonly type: 'pause' }
  /** So many steps from a pause. */
  | { readonly type: 'step'; readonly count: number }
  /** For the steps to come, without a new network. */
  | { readonly type: 'learningRate'; readonly value: number }
  /**
   * The picture to judge, PIXELS numbers from 0 (background) to 1, row by row; null: none. Answered by
   * `probabilities`, at once and again as training goes on. Of several that queue up only the last counts.
   */
  | { readonly type: 'picture'; readonly pixels: Float32Array | null }
  /** What is being looked at: the rest is neither computed nor sent. All off at first. */
  | { readonly type: 'inspect'; readonly what: Inspection }
  /** Dropped files: .idx, .gz, .npz; images and labels, with or without test files. Answered by `ready`. */
  | { readonly type: 'openData'; readonly files: readonly GivenFile[] }
  /** From a folder of the four .gz files, or of one .npz, that the user typed. Answered by `ready`. */
  | { readonly type: 'fetchData'; readonly address: string }
  | { readonly type: 'cancelData' }
  /** Deletes the kept files of a source. Answered by `kept`. */
  | { readonly type: 'forgetData'; readonly source: DataSource }
  /** Answered by `saved`. */
  | { readonly type: 'save'; readonly format: SaveFormat }
  /** A whole model (.keras, .h5), or weights for the present network. Answered by `ready`. */
  | { readonly type: 'load'; readonly file: GivenFile }
  /** The kernels of a training step with their times; training waits for it. Answered by `explained`. */
  | { readonly type: 'explain' };

export interface Inspection {
  /** So many pictures of first-layer weights at most; 0: none. */
  readonly weights: number;
  readonly confusion: boolean;
  /** So many of the worst mistakes at most; 0: none. */
  readonly mistakes: number;
}

// ---- worker to page

export interface AdapterFacts {
  /** 'NVIDIA Ada Lovelace', 'SwiftShader', … */
  readonly name: string;
  /** Computed on the CPU: slow, and no fault of the page. */
  readonly isSoftware: boolean;
  readonly features: readonly string[];
}

export interface DataFacts {
  readonly source: DataSource;
  /** 'Fashion-MNIST', 'Synthetic garments', or the name of a dropped file. */
  readonly name: string;
  readonly classNames: readonly string[];
  readonly trainCount: number;
  readonly validationCount: number;
  /** Of these, so many are looked at now and then; the numbers and pictures of validation come from them. */
  readonly watchedCount: number;
  /** The first pictures, [sampleCount, PIXELS] bytes, and their labels: something to show. */
  readonly samples: Uint8Array;
  readonly sampleLabels: Uint8Array;
}

/** Everything is in place and step 0 (after `load`: the step of the file's optimizer is not known). */
export interface ReadyEvent {
  readonly type: 'ready';
  /** As they are in force. A loaded model, or dropped data, has changed them: show these. */
  readonly settings: Settings;
  /** False for a loaded model that the layers of the settings do not describe; `network` then does. */
  readonly editable: boolean;
  /** One line for each layer with weights: 'dense 784 → 128, relu'. */
  readonly network: readonly string[];
  readonly adapter: AdapterFacts;
  readonly data: DataFacts;
  readonly parameters: number;
  readonly dispatchesPerStep: number;
  readonly stepsPerEpoch: number;
}

/** Several times a second while training, and once after a pause or single steps. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Steps since `ready`. */
  readonly step: number;
  /** Passes over the images so far, with fraction. */
  readonly epoch: number;
  /** Means over the steps since the last progress; NaN when there was none. */
  readonly loss: number;
  readonly accuracy: number;
  /** Over the last second or so; 0 when paused. */
  readonly stepsPerSecond: number;
  readonly imagesPerSecond: number;
}

/** About once a second while training, and once after `ready`, a pause or single steps. */
export interface ValidationEvent {
  readonly type: 'validation';
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Pictures of the first layer: what each of its units looks for. A few times a second, if looked at. */
export interface WeightsEvent {
  readonly type: 'weights';
  readonly step: number;
  /** [shown, PIXELS]: the weights of unit i stand together, row by row of the picture. */
  readonly values: Float32Array;
  readonly shown: number;
  /** Units of the first layer. */
  readonly units: number;
}

/** With `validation`, if looked at. counts[10 · truth + guess] of the watched pictures. */
export interface ConfusionEvent {
  readonly type: 'confusion';
  readonly step: number;
  readonly counts: Uint32Array;
}

export interface Mistake {
  /** PIXELS bytes, 0 is background. */
  readonly pixels: Uint8Array;
  readonly label: number;
  readonly guess: number;
  /** Given to the wrong guess, and to the label. */
  readonly guessProbability: number;
  readonly labelProbability: number;
}

/** With `validation`, if looked at: the least probable right answers first. */
export interface MistakesEvent {
  readonly type: 'mistakes';
  readonly step: number;
  readonly worst: readonly Mistake[];
  /** Mistakes among the watched pictures. */
  readonly count: number;
}

/** What an error is about: `WeftError.code`, or one of the page's own. */
export type FailureCode = string;

export interface FailureEvent {
  readonly type: 'failure';
  /** 'NO_WEBGPU', 'NO_ADAPTER', 'DEVICE_LOST', 'OUT_OF_MEMORY', 'CRASH', 'FORMAT', 'SHAPE', 'TOO_LARGE', 'DOWNLOAD', … */
  readonly code: FailureCode;
  /** One line: 'The graphics device was lost'. */
  readonly title: string;
  /** What happened. May quote names of files: show it as text. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The worker can do no more: restart it (settings are kept). Otherwise all is as it was before the command. */
  readonly canRestart: boolean;
}

export type Event =
  | ReadyEvent
  | ProgressEvent
  | ValidationEvent
  | WeightsEvent
  | ConfusionEvent
  | MistakesEvent
  | FailureEvent
  /** What takes its time: 'Drawing garments', 'Compiling kernels'. Null: nothing any more. */
  | { readonly type: 'busy'; readonly what: string | null; readonly done?: number; readonly total?: number }
  /** Training or not: after `train`, `pause`, `step`, and before any `failure` that stops it. */
  | { readonly type: 'state'; readonly training: boolean }
  | { readonly type: 'probabilities'; readonly step: number; readonly values: Float32Array }
  /** A download. `total` 0: not told by the server. */
  | {
      readonly type: 'dataProgress';
      readonly file: string;
      readonly received: number;
      readonly total: number;
    }
  /** Which sources are kept in this browser and need no network. Sent at the start and on each change. */
  | { readonly type: 'kept'; readonly sources: readonly DataSource[] }
  /** After `ready` with other data: what was asked for is not kept here. Ask for files or an address. */
  | {
      readonly type: 'dataMissing';
      readonly source: DataSource;
      readonly advice: string;
      /** Where the files are published: a suggestion for the field Data address. */
      readonly address: string;
    }
  | { readonly type: 'saved'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: 'explained'; readonly profile: StepProfile }
  /** Worth knowing, and no failure: 'The network is new: weights start over.' */
  | { readonly type: 'notice'; readonly text: string };
