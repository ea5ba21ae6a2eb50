/** What each unit of the first layer looks for: its 784 weights as a picture, all in one scale of colours. */
import { PIXELS, SIDE, type WeightsEvent } from '../protocol.ts';
import { css, diverging } from './colours.ts';
import { byId, find, say } from './dom.ts';
import { count, decimal } from './format.ts';
import { fitCanvas, paint } from './frames.ts';

/** Space between pictures, in CSS pixels. */
const GAP = 3;

export class WeightPictures {
  private readonly canvas: HTMLCanvasElement;
  private readonly readout: HTMLElement;
  private readonly caption: HTMLElement;
  private readonly most: HTMLElement;
  private readonly atlas = document.createElement('canvas');
  private readonly panel: { invalidate(): void };
  private event: WeightsEvent | null = null;
  /** Set where the first layer is the last: its units are the classes. */
  private names: readonly string[] | null = null;
  private chosen = -1;
  private grid = { columns: 1, tile: SIDE };

  constructor() {
    const figure = byId('weights');
    this.canvas = find<HTMLCanvasElement>(figure, 'canvas');
    this.readout = find(figure, '.readout');
    this.caption = find(figure, '.caption');
    this.most = find(figure, '.scale-most');
    this.panel = paint(this.canvas, () => this.draw());
    new ResizeObserver(() => this.panel.invalidate()).observe(this.canvas);
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerdown', (event) => this.point(event));
    this.canvas.addEventListener('pointerleave', () => this.choose(-1));
    this.canvas.addEventListener('blur', () => this.choose(-1));
    this.canvas.addEventListener('keydown', (event) => this.key(event));
  }

  show(event: WeightsEvent): void {
    this.event = event;
    const { shown, units } = event;
    say(
      this.caption,
      shown < units ? `the first ${count(shown)} of ${count(units)} units` : `${count(units)} units`,
    );
    this.readChosen();
    this.panel.invalidate();
  }

  /** New weights will come; `names`: of the units, where they are the classes. */
  clear(names: readonly string[] | null): void {
    this.names = names;
    this.event = null;
    this.choose(-1);
    this.panel.invalidate();
  }

  private point(event: PointerEvent): void {
    const { left, top } = this.canvas.getBoundingClientRect();
    const { columns, tile } = this.grid;
    const column = Math.floor((event.clientX - left) / (tile + GAP));
    const row = Math.floor((event.clientY - top) / (tile + GAP));
    this.choose(column < columns ? row * columns + column : -1);
  }

  private key(event: KeyboardEvent): void {
    const stride = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.grid.columns,
      ArrowDown: this.grid.columns,
    }[event.key];
    if (stride === undefined || !this.event) return;
    event.preventDefault();
    this.choose(Math.min(this.event.shown - 1, Math.max(0, this.chosen + stride)));
  }

  private choose(unit: number): void {
    const next = this.event && unit < this.event.shown ? unit : -1;
    if (next === this.chosen) return;
    this.chosen = next;
    this.readChosen();
    this.panel.invalidate();
  }

  private readChosen(): void {
    if (this.chosen < 0 || !this.event) {
      say(this.readout, '');
      return;
    }
    const values = this.event.values.subarray(this.chosen * PIXELS, (this.chosen + 1) * PIXELS);
    const name = this.names?.[this.chosen] ?? `Unit ${this.chosen + 1}`;
    say(this.readout, `${name}: ${decimal(Math.min(...values))} to ${decimal(Math.max(...values))}`);
  }

  private draw(): void {
    const { canvas, event } = this;
    const context = canvas.getContext('2d');
    const { width, height, ratio } = fitCanvas(canvas);
    if (!context || width === 0) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!event || event.shown === 0) return;

    const most = this.paintAtlas(event);
    say(this.most, most.toPrecision(2));
    this.grid = fitTiles(event.shown, width, height, ratio);
    const { columns, tile } = this.grid;
    const size = Math.round(tile * ratio);
    context.imageSmoothingEnabled = size < SIDE;
    for (let unit = 0; unit < event.shown; unit++) {
      const x = Math.round((unit % columns) * (tile + GAP) * ratio);
      const y = Math.round(Math.floor(unit / columns) * (tile + GAP) * ratio);
      context.drawImage(this.atlas, 0, unit * SIDE, SIDE, SIDE, x, y, size, size);
      if (unit === this.chosen) {
        context.strokeStyle = css('--focus');
        context.lineWidth = 2 * ratio;
        context.strokeRect(x, y, size, size);
      }
    }
  }

  /** All pictures below each other, one pixel for each weight; returns the weight of the strongest colour. */
  private paintAtlas({ values, shown }: WeightsEvent): number {
    const { atlas } = this;
    atlas.width = SIDE;
    if (atlas.height !== shown * SIDE) atlas.height = shown * SIDE;
    const image = new ImageData(SIDE, shown * SIDE);
    const pixels = new Uint32Array(image.data.buffer);
    const map = diverging();
    const most = strongest(values);
    const scale = 127.5 / most;
    for (let i = 0; i < pixels.length; i++) {
      const at = Math.round(127.5 + values[i] * scale);
      pixels[i] = map[at < 0 ? 0 : at > 255 ? 255 : at | 0];
    }
    atlas.getContext('2d')?.putImageData(image, 0, 0);
    return most;
  }
}

/** Three standard deviations: the few weights beyond are drawn in the strongest colour. */
function strongest(values: Float32Array): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < values.length; i += 7) {
    if (!Number.isFinite(values[i])) continue;
    sum += values[i] * values[i];
    n += 1;
  }
  return n > 0 && sum > 0 ? 3 * Math.sqrt(sum / n) : 1;
}

/** The largest squares, so many of which fit into the area; whole device pixels. */
function fitTiles(
  n: number,
  width: number,
  height: number,
  ratio: number,
): { columns: number; tile: number } {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns);
    const tile = Math.min((width + GAP) / columns - GAP, (height + GAP) / rows - GAP, 8 * SIDE);
    if (tile > best.tile) best = { columns, tile };
  }
  return { columns: best.columns, tile: Math.max(1, Math.floor(best.tile * ratio)) / ratio };
}
