/** Which data, where they come from, and what they look like. */
import {
  type Command,
  type DataFacts,
  type DataSource,
  type Event,
  MAX_FILE_BYTES,
  PIXELS,
  SIDE,
} from '../protocol.ts';
import { greys } from './colours.ts';
import { byId, find, make, say } from './dom.ts';
import { count, megabytes } from './format.ts';
import { paint } from './frames.ts';

const SOURCE_NAMES: Readonly<Record<DataSource, string>> = {
  garments: 'Garments, drawn here',
  fashion_mnist: 'Fashion-MNIST',
  mnist: 'MNIST digits',
  file: 'Your own files',
};

/** Pictures in the mosaic. */
const MOSAIC = { columns: 10, rows: 2 };

export interface DataHandlers {
  post(command: Command): void;
  chosen(source: DataSource): void;
  refused(title: string, message: string): void;
}

type Of<Type extends Event['type']> = Extract<Event, { type: Type }>;

export class DataPanel {
  private readonly handlers: DataHandlers;
  private readonly source = byId<HTMLSelectElement>('data-source');
  private readonly facts = byId('data-facts');
  private readonly more = byId<HTMLDetailsElement>('data-more');
  private readonly advice = byId('data-advice');
  private readonly address = byId<HTMLInputElement>('data-address');
  private readonly fetching = byId('data-fetching');
  private readonly progress = byId<HTMLProgressElement>('data-progress');
  private readonly progressWords = byId('data-progress-words');
  private readonly forget = byId<HTMLButtonElement>('forget-data');
  private readonly mosaic = byId<HTMLCanvasElement>('mosaic');
  private readonly panel: { invalidate(): void };
  private kept: readonly DataSource[] = [];
  private samples: Uint8Array | null = null;
  private present: DataSource = 'garments';
  /** What was asked for and is not there. */
  private wanted: DataSource | null = null;

  constructor(handlers: DataHandlers) {
    this.handlers = handlers;
    this.panel = paint(this.mosaic, () => this.draw());
    this.source.addEventListener('change', () => {
      const wanted = this.source.value as DataSource;
      if (wanted === 'file')
        this.ask('Drop or open the files: images and labels in IDX (.gz or plain), or one .npz.');
      else {
        this.advise('');
        handlers.chosen(wanted);
      }
    });
    byId<HTMLInputElement>('data-files').addEventListener('change', (event) => {
      const input = event.target as HTMLInputElement;
      this.open([...(input.files ?? [])]);
      input.value = '';
    });
    byId('data-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const address = this.address.value.trim();
      if (address) handlers.post({ type: 'fetchData', address });
    });
    byId('cancel-data').addEventListener('click', () => handlers.post({ type: 'cancelData' }));
    this.forget.addEventListener('click', () => handlers.post({ type: 'forgetData', source: this.present }));
    this.listSources();
  }

  /** Files that were dropped or opened; too large ones are refused before anything reads them. */
  open(files: readonly File[]): void {
    const large = files.find(({ size }) => size > MAX_FILE_BYTES);
    if (large) {
      const most = `${MAX_FILE_BYTES / 2 ** 20} MiB`;
      this.handlers.refused(
        'The file is too large',
        `${large.name} has ${megabytes(large.size)}; at most ${most} are read.`,
      );
    } else if (files.length > 0) {
      this.handlers.post({ type: 'openData', files });
    }
  }

  show(source: DataSource): void {
    this.source.value = source;
  }

  ready(data: DataFacts): void {
    this.present = data.source;
    this.samples = data.samples;
    this.source.value = data.source;
    say(
      this.facts,
      `${data.name}: ${count(data.trainCount)} pictures to learn from, ${count(data.validationCount)} to check with`,
    );
    this.fetching.hidden = true;
    if (!this.wanted || data.source === this.wanted || data.source === 'file') this.advise('');
    this.listSources();
    this.panel.invalidate();
  }

  /** Which sources need no network any more. */
  keep({ sources }: Of<'kept'>): void {
    this.kept = sources;
    this.listSources();
  }

  missing({ source, advice, address }: Of<'dataMissing'>): void {
    this.address.value ||= address;
    this.source.value = this.present;
    this.wanted = source;
    this.ask(`${SOURCE_NAMES[source]}: ${advice}`);
  }

  downloading({ file, received, total }: Of<'dataProgress'>): void {
    this.more.open = true;
    this.fetching.hidden = false;
    if (total > 0) {
      this.progress.max = total;
      this.progress.value = received;
    } else {
      this.progress.removeAttribute('value');
    }
    say(this.progressWords, `${file}: ${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ''}`);
  }

  /** No download goes on any more. */
  settle(): void {
    this.fetching.hidden = true;
    this.source.value = this.present;
  }

  private ask(words: string): void {
    this.advise(words);
    this.more.open = true;
    this.more.scrollIntoView({ block: 'nearest' });
  }

  private advise(words: string): void {
    if (!words) this.wanted = null;
    say(this.advice, words);
    this.advice.hidden = !words;
  }

  private listSources(): void {
    const chosen = this.source.value || this.present;
    const names = Object.entries(SOURCE_NAMES) as [DataSource, string][];
    this.source.replaceChildren(
      ...names.map(([value, name]) =>
        make('option', { value }, this.kept.includes(value) ? `${name} (kept on this device)` : name),
      ),
    );
    this.source.value = chosen;
    this.forget.hidden = !this.kept.includes(this.present);
  }

  private draw(): void {
    const { columns, rows } = MOSAIC;
    this.mosaic.width = columns * SIDE;
    this.mosaic.height = rows * SIDE;
    if (!this.samples) return;
    const image = new ImageData(columns * SIDE, rows * SIDE);
    const pixels = new Uint32Array(image.data.buffer);
    const map = greys();
    pixels.fill(map[0]);
    const shown = Math.min(columns * rows, this.samples.length / PIXELS);
    for (let n = 0; n < shown; n++) {
      const [left, top] = [(n % columns) * SIDE, Math.floor(n / columns) * SIDE];
      for (let i = 0; i < PIXELS; i++) {
        const at = (top + Math.floor(i / SIDE)) * columns * SIDE + left + (i % SIDE);
        pixels[at] = map[this.samples[n * PIXELS + i]];
      }
    }
    this.mosaic.getContext('2d')?.putImageData(image, 0, 0);
    find(this.mosaic.parentElement as HTMLElement, 'figcaption').hidden = false;
  }
}
