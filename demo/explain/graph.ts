/** The kernels as a list, with arcs from each to those that read what it makes. */
import type { PlannedOp, TimedKernel } from 'weft-gpu';
import { find, make } from '../playground/view/dom.ts';
import { duration, share } from '../shared/units.ts';

const SVG = 'http://www.w3.org/2000/svg';
const PARTS = [
  ['load', 'melted into the loads'],
  ['kernel', 'own'],
  ['store', 'melted into the stores'],
] as const;

export class KernelGraph {
  readonly #list: HTMLElement;
  readonly #arcs: SVGElement;
  readonly #chosen: (kernel: TimedKernel) => void;
  #kernels: readonly TimedKernel[] = [];
  #buttons: HTMLButtonElement[] = [];
  #selected = -1;

  constructor(root: HTMLElement, chosen: (kernel: TimedKernel) => void) {
    this.#list = find(root, 'ol');
    this.#arcs = find<SVGElement>(root, 'svg');
    this.#chosen = chosen;
    new ResizeObserver(() => this.#drawArcs()).observe(this.#list);
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  show(kernels: readonly TimedKernel[]): void {
    this.#kernels = kernels;
    const longest = Math.max(...kernels.map(({ share: part }) => part ?? 0), 1e-9);
    this.#buttons = kernels.map((kernel) => {
      const button = buttonFor(kernel, longest);
      button.addEventListener('click', () => this.select(kernel.index));
      return button;
    });
    this.#list.replaceChildren(...this.#buttons.map((button) => make('li', {}, button)));
    this.#selected = -1;
    this.#drawArcs();
  }

  select(index: number): void {
    this.#selected = index;
    const kernel = this.#kernels[index];
    const sources = new Set(kernel.reads.map(({ from }) => from));
    this.#buttons.forEach((button, i) => {
      button.setAttribute('aria-pressed', String(i === index));
      button.classList.toggle('is-source', sources.has(i));
      button.classList.toggle(
        'is-user',
        this.#kernels[i].reads.some(({ from }) => from === index),
      );
    });
    this.#drawArcs();
    this.#chosen(kernel);
  }

  /** Arrow keys walk through the list. */
  #key(event: KeyboardEvent): void {
    const at = this.#buttons.indexOf(event.target as HTMLButtonElement);
    const last = this.#buttons.length - 1;
    const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[
      event.key
    ];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.#buttons[to].focus();
    this.select(to);
  }

  /** From the middle of the maker's row to that of the reader's; the longer the way, the wider the arc. */
  #drawArcs(): void {
    const width = this.#arcs.clientWidth;
    const middle = (i: number): number => {
      const row = this.#buttons[i].parentElement as HTMLElement;
      return row.offsetTop + row.offsetHeight / 2;
    };
    const ways = this.#kernels.flatMap(({ index, reads }) =>
      [...new Set(reads.map(({ from }) => from))]
        .filter((from): from is number => from !== null && from !== index)
        .map((from) => ({ from, to: index })),
    );
    const furthest = Math.max(1, ...ways.map(({ from, to }) => Math.abs(to - from)));
    this.#arcs.replaceChildren(
      ...ways.map(({ from, to }) => {
        const path = document.createElementNS(SVG, 'path');
        const [y0, y1] = [middle(from), middle(to)];
        const reach = width * (0.3 + (1.0 * Math.abs(to - from)) / furthest);
        path.setAttribute(
          'd',
          `M${width},${y0} C${width - reach},${y0} ${width - reach},${y1} ${width},${y1}`,
        );
        if (from === this.#selected || to === this.#selected) path.classList.add('is-near');
        return path;
      }),
    );
  }
}

function buttonFor(kernel: TimedKernel, longest: number): HTMLButtonElement {
  const { index, microseconds, share: part } = kernel;
  const filled = make('span', {});
  filled.style.width = `${(100 * (part ?? 0)) / longest}%`;
  return make(
    'button',
    { type: 'button', class: 'kernel', 'aria-pressed': 'false' },
    make('span', { class: 'place number' }, String(index)),
    make('span', { class: 'chips' }, ...chips(kernel)),
    make(
      'span',
      { class: 'time' },
      microseconds === null ? '–' : duration(microseconds),
      make('span', { class: 'visually-hidden' }, part === null ? '' : `, ${share(part)} of the step`),
      make('span', { class: 'part', 'aria-hidden': 'true' }, filled),
    ),
  );
}

/** What a kernel holds, in the order of its work: loads, its own ops, stores. */
export function chips({ parts, ops, tensors }: TimedKernel): HTMLElement[] {
  const words = (which: PlannedOp['part']): string[] => [
    ...new Set(parts.filter(({ part }) => part === which).map(({ op }) => op)),
  ];
  const all = PARTS.flatMap(([which, told]) =>
    words(which).map((op) =>
      make(
        'span',
        { class: `chip ${which === 'kernel' ? 'own' : which}` },
        op,
        which !== 'kernel' && make('span', { class: 'visually-hidden' }, ` (${told})`),
      ),
    ),
  );
  if (all.length === 0) all.push(make('span', { class: 'chip own' }, ops.join(' ') || 'copy'));
  if (tensors > 1) all.unshift(make('span', { class: 'chip' }, `${tensors} ×`));
  return all;
}
