/** The page's end of the wire: starts the worker, notices when it is dead, and starts another. */
import type { Command, Event, FailureEvent, Settings } from './protocol.ts';
import TrainWorker from './worker.ts?worker&inline';

/**
 * Talks to one worker at a time. All events arrive at `listen`, failures of the worker itself included.
 *
 * ```ts
 * const client = new Client((event) => show(event));
 * client.start(settings);
 * client.post({ type: 'train' });
 * ```
 */
export class Client {
  private readonly listen: (event: Event) => void;
  private worker: Worker | null = null;
  /** What a new worker has to know to go on where the old one stood. */
  private settings: Settings | null = null;
  private readonly lasting = new Map<Command['type'], Command>();

  constructor(listen: (event: Event) => void) {
    this.listen = listen;
  }

  /** Starts a worker with these settings, or says why there can be none. */
  start(settings: Settings): void {
    this.settings = settings;
    this.stop();
    const obstacle = findObstacle();
    if (obstacle) {
      this.listen(obstacle);
      return;
    }
    let worker: Worker;
    try {
      worker = new TrainWorker();
    } catch (error) {
      this.listen(crash(String((error as Error).message ?? error)));
      return;
    }
    worker.onmessage = ({ data }: MessageEvent<Event>) => {
      if (worker !== this.worker) return;
      if (data.type === 'ready') this.settings = data.settings;
      this.listen(data);
    };
    const dead = (message: string): void => {
      if (worker !== this.worker) return;
      this.stop();
      this.listen({ type: 'state', training: false });
      this.listen(crash(message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      dead(event.message || 'The worker stopped without a word.');
    };
    worker.onmessageerror = () => dead('A message from the worker could not be read.');
    this.worker = worker;
    this.post({ type: 'configure', settings });
    for (const command of this.lasting.values()) this.post(command);
  }

  /** Sends a command; without a worker it is dropped, but what lasts is remembered for the next one. */
  post(command: Command): void {
    if (command.type === 'inspect' || command.type === 'picture') this.lasting.set(command.type, command);
    if (command.type === 'configure') this.settings = command.settings;
    if (command.type === 'learningRate' && this.settings)
      this.settings = { ...this.settings, learningRate: command.value };
    this.worker?.postMessage(command);
  }

  /** A new worker with the settings of the old one. */
  restart(): void {
    if (this.settings) this.start(this.settings);
  }

  stop(): void {
    this.worker?.terminate();
    this.worker = null;
  }
}

/** What makes training impossible and can be known without trying. */
function findObstacle(): FailureEvent | null {
  if ('gpu' in navigator && navigator.gpu) return null;
  const insecure = !globalThis.isSecureContext;
  return {
    type: 'failure',
    code: 'NO_WEBGPU',
    title: 'This browser has no WebGPU',
    message: insecure
      ? 'Browsers offer WebGPU only to pages from https, from localhost or from disk.'
      : 'This page trains on the graphics processor, and WebGPU is how a page gets at it.',
    fix: insecure
      ? 'Open the page by https.'
      : 'Use Chrome or Edge 113, Safari 26 or Firefox 141, or newer; on Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.',
    canRestart: false,
  };
}

const crash = (message: string): FailureEvent => ({
  type: 'failure',
  code: 'CRASH',
  title: 'The training worker stopped',
  message,
  fix: 'Restart it. The settings are kept; what was learned since the last save is lost.',
  canRestart: true,
});
