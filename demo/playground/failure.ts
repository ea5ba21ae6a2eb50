/** From whatever was thrown to words that a visitor can act on. */
import type { FailureEvent } from './protocol.ts';

/** A refusal of the playground's own. */
export class Refusal extends Error {
  readonly code: string;
  readonly fix: string;

  constructor(code: string, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.fix = fix;
  }
}

interface Words {
  readonly title: string;
  readonly fix: string;
  readonly canRestart?: boolean;
}

const unchanged = 'Everything is as it was before.';

const words: Readonly<Record<string, Words>> = {
  NO_ADAPTER: {
    title: 'No graphics processor is offered to this page',
    fix: "Switch on hardware acceleration in the browser's settings, update the graphics driver, or look at chrome://gpu. Then restart.",
    canRestart: true,
  },
  DEVICE_LOST: {
    title: 'The graphics device was lost',
    fix: 'Restart: the settings are kept; what was learned since the last save is lost.',
    canRestart: true,
  },
  OUT_OF_MEMORY: {
    title: 'The graphics memory is full',
    fix: 'Take fewer units, smaller batches or fewer pictures, or close other tabs.',
  },
  LIMIT: {
    title: 'This is too large for this graphics device',
    fix: 'Take fewer units or smaller batches.',
  },
  FORMAT: { title: 'This file cannot be read', fix: unchanged },
  LOAD: { title: 'This file cannot be read', fix: unchanged },
  SHAPE: { title: 'This does not fit', fix: unchanged },
  CONFIG: { title: 'This does not work', fix: unchanged },
  TOO_LARGE: { title: 'This file is too large', fix: unchanged },
  NOT_PICTURES: {
    title: 'These files are no pictures with labels',
    fix: 'Drop one file of images and one of labels, as IDX (.gz or not), or one .npz.',
  },
  WRONG_MODEL: { title: 'This model does not judge 28 × 28 pictures in ten classes', fix: unchanged },
  DOWNLOAD: {
    title: 'The data did not arrive',
    fix: 'Check the address, and that its server allows other sites to read it (CORS). Or download the files and drop them here.',
  },
  ABORT: { title: 'Stopped', fix: unchanged },
  UNSUPPORTED: { title: 'This browser cannot do that', fix: unchanged },
  KERNEL: {
    title: 'The graphics driver refused a kernel',
    fix: 'Please report the message, with the name of the adapter. Another network may work.',
  },
};

const unexpected: Words = {
  title: 'Something went wrong',
  fix: 'Restart: the settings are kept. If it happens again, please report the message.',
  canRestart: true,
};

/** What Weft's messages begin with, as far as it is met here. */
const OPERATION = /^(?:loadModel|loadWeights|parseIdx|parseNpz|parseNpy|init|allocate): /;

/** What to tell about an error. `isLost`: whether the device is gone, whatever the error says. */
export function describeFailure(error: unknown, isLost = false): FailureEvent {
  const code = isLost ? 'DEVICE_LOST' : codeOf(error);
  const { title, fix, canRestart = false } = Object.hasOwn(words, code) ? words[code] : unexpected;
  const told = error instanceof Error && error.message ? error.message : String(error);
  // The name of a function and what Weft advises are meant for programmers; visitors have a title and advice of their own.
  const plain = told.replace(OPERATION, '');
  const message = fix === unchanged ? plain : plain.replace(/\s*Fix: .*$/s, '');
  return {
    type: 'failure',
    code,
    title,
    message,
    fix: error instanceof Refusal ? error.fix : fix,
    canRestart,
  };
}

function codeOf(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  if (code === 'UNSUPPORTED' && /requestAdapter|navigator\.gpu|refused a device/.test(message))
    return 'NO_ADAPTER';
  return typeof code === 'string' ? code : 'UNEXPECTED';
}
