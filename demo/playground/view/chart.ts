/**
 * A chart of two curves over training steps on a canvas: training solid, validation dashed.
 * Pointing at it, or arrow keys on it, read it; what it shows is also said in words.
 */
import { css } from './colours.ts';
import { Curve } from './curve.ts';
import { byId, find, say } from './dom.ts';
import { compact, count } from './format.ts';
import { fitCanvas, paint } from './frames.ts';
import { type Axis, exactAxis, linearAxis, logAxis } from './scale.ts';

export interface ChartOptions {
  /** The figure in the page: a canvas, `.readout`, `[data-series]` values and perhaps a button `.log`. */
  readonly id: string;
  readonly format: (value: number) => string;
  readonly tick: (value: number) => string;
  /** Ends that the values cannot pass. */
  readonly floor: number;
  readonly ceiling?: number;
}

const MARGIN = { top: 10, right: 12, bottom: 22, left: 40 };

const LINES = [
  { key: 'training', token: '--train', dash: [], width: 1.75 },
  { key: 'validation', token: '--validation', dash: [6, 4], width: 2.25 },
] as const;

type Key = (typeof LINES)[number]['key'];

export class Chart {
  private readonly options: ChartOptions;
  private readonly canvas: HTMLCanvasElement;
  private readonly readout: HTMLElement;
  private readonly values: Record<Key, HTMLElement>;
  private readonly curves: Record<Key, Curve> = { training: new Curve(), validation: new Curve() };
  private readonly panel: { invalidate(): void };
  private isLog = false;
  /** The step that is being read, or null. */
  private cursor: number | null = null;

  constructor(options: ChartOptions) {
    this.options = options;
    const figure = byId(options.id);
    this.canvas = find<HTMLCanvasElement>(figure, 'canvas');
    this.readout = find(figure, '.readout');
    this.values = {
      training: find(figure, '[data-series=training]'),
      validation: find(figure, '[data-series=validation]'),
    };
    this.panel = paint(this.canvas, () => this.draw());
    new ResizeObserver(() => this.panel.invalidate()).observe(this.canvas);
    this.listen(figure.querySelector<HTMLButtonElement>('button.log'));
    this.sayValues();
  }

  add(key: Key, step: number, value: number): void {
    this.curves[key].add(step, value);
    this.sayValues();
    this.panel.invalidate();
  }

  clear(): void {
    for (const { key } of LINES) this.curves[key].clear();
    this.moveTo(null);
    this.sayValues();
    this.panel.invalidate();
  }

  private listen(log: HTMLButtonElement | null): void {
    const { canvas } = this;
    const read = (event: PointerEvent): void => {
      const { left, width } = canvas.getBoundingClientRect();
      const share = (event.clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
      this.moveTo(Math.min(1, Math.max(0, share)) * this.lastStep());
    };
    canvas.addEventListener('pointermove', read);
    canvas.addEventListener('pointerdown', read);
    canvas.addEventListener('pointerleave', () => this.moveTo(null));
    canvas.addEventListener('blur', () => this.moveTo(null));
    canvas.addEventListener('keydown', (event) => this.key(event));
    log?.addEventListener('click', () => {
      this.isLog = !this.isLog;
      log.setAttribute('aria-pressed', String(this.isLog));
      this.panel.invalidate();
    });
  }

  private key(event: KeyboardEvent): void {
    const end = this.lastStep();
    const stride = end / (event.shiftKey ? 10 : 50);
    const from = this.cursor ?? end;
    const next = { ArrowLeft: from - stride, ArrowRight: from + stride, Home: 0, End: end }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.moveTo(Math.min(end, Math.max(0, next)));
  }

  private lastStep(): number {
    return Math.max(10, ...LINES.map(({ key }) => this.curves[key].xs.at(-1) ?? 0));
  }

  private moveTo(step: number | null): void {
    this.cursor = step;
    say(this.readout, step === null ? '' : this.wordsAt(step));
    this.panel.invalidate();
  }

  private wordsAt(step: number): string {
    const parts = LINES.flatMap(({ key }) => {
      const at = this.curves[key].nearest(step);
      return at < 0 ? [] : [`${key} ${this.options.format(this.curves[key].ys[at])}`];
    });
    return parts.length > 0 ? `Step ${count(Math.round(step))}: ${parts.join(', ')}` : '';
  }

  private sayValues(): void {
    for (const { key } of LINES) {
      const { last } = this.curves[key];
      say(this.values[key], last === null ? '–' : this.options.format(last));
    }
  }

  private valueAxis(height: number): Axis {
    const { floor, ceiling = Number.POSITIVE_INFINITY } = this.options;
    const seen = LINES.flatMap(({ key }) => this.curves[key].ys);
    if (seen.length === 0) return linearAxis(floor, Math.min(ceiling, floor + 1), 4);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of seen) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (seen.length < 3) low = floor;
    if (this.isLog && low > 0) return logAxis(low, high);
    const wanted = Math.max(2, Math.round(height / 40));
    return linearAxis(Math.max(floor, low - (high - low) * 0.05), Math.min(ceiling, high), wanted);
  }

  private draw(): void {
    const { canvas, curves } = this;
    const context = canvas.getContext('2d');
    const { width, height, ratio } = fitCanvas(canvas);
    if (!context || width === 0) return;
    const inner = {
      width: width - MARGIN.left - MARGIN.right,
      height: height - MARGIN.top - MARGIN.bottom,
    };
    const ys = this.valueAxis(inner.height);
    const xs = exactAxis(0, this.lastStep(), Math.max(2, Math.round(inner.width / 90)));
    const px = (step: number) => MARGIN.left + xs.at(step) * inner.width;
    const py = (value: number) => MARGIN.top + (1 - ys.at(value)) * inner.height;

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `${11}px ${getComputedStyle(canvas).fontFamily}`;
    context.lineWidth = 1;
    context.strokeStyle = css('--line');
    context.fillStyle = css('--muted');
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const tick of ys.ticks) {
      const y = Math.round(py(tick)) + 0.5;
      context.beginPath();
      context.moveTo(MARGIN.left, y);
      context.lineTo(width - MARGIN.right, y);
      context.stroke();
      context.fillText(this.options.tick(tick), MARGIN.left - 6, y);
    }
    context.textBaseline = 'top';
    context.textAlign = 'center';
    const hasPoints = LINES.some(({ key }) => curves[key].xs.length > 0);
    for (const tick of hasPoints ? xs.ticks : [0]) {
      const x = px(tick);
      context.textAlign = tick === 0 ? 'left' : x > width - 30 ? 'right' : 'center';
      context.fillText(compact(tick), tick === 0 ? MARGIN.left : Math.min(x, width - 4), height - 16);
    }

    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top - 4, inner.width + MARGIN.right, inner.height + 8);
    context.clip();
    for (const { key, token, dash, width: lineWidth } of LINES) {
      const curve = curves[key];
      context.strokeStyle = css(token);
      context.fillStyle = css(token);
      context.lineWidth = lineWidth;
      context.lineJoin = 'round';
      context.setLineDash([...dash]);
      context.beginPath();
      for (let i = 0; i < curve.xs.length; i++) {
        const [x, y] = [px(curve.xs[i]), py(curve.ys[i])];
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      context.stroke();
      context.setLineDash([]);
      const end = curve.xs.length - 1;
      if (end >= 0) dot(context, px(curve.xs[end]), py(curve.ys[end]), 3);
    }
    if (this.cursor !== null && hasPoints) {
      const x = Math.round(px(this.cursor)) + 0.5;
      context.strokeStyle = css('--muted');
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, MARGIN.top);
      context.lineTo(x, MARGIN.top + inner.height);
      context.stroke();
      for (const { key, token } of LINES) {
        const at = curves[key].nearest(this.cursor);
        if (at < 0) continue;
        context.fillStyle = css(token);
        dot(context, px(curves[key].xs[at]), py(curves[key].ys[at]), 4);
      }
    }
    context.restore();
  }
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
