/** The network as a strip of layers with threads between them; hidden layers are edited in place. */
import {
  ACTIVATIONS,
  type ActivationName,
  CLASSES,
  type LayerSettings,
  LIMITS,
  PIXELS,
  type ReadyEvent,
} from '../protocol.ts';
import { byId, find, make } from './dom.ts';
import { count, plural } from './format.ts';

const SVG = 'http://www.w3.org/2000/svg';

interface LayerNode {
  readonly item: HTMLElement;
  readonly units: HTMLInputElement;
  readonly activation: HTMLSelectElement;
  readonly remove: HTMLButtonElement;
  readonly parameters: HTMLElement;
}

export class NetworkStrip {
  private readonly strip = byId('layers');
  private readonly foreign = byId('foreign-network');
  private readonly add = byId<HTMLButtonElement>('add-layer');
  private readonly changed: (layers: readonly LayerSettings[]) => void;
  private layers: readonly LayerSettings[] = [];
  private nodes: LayerNode[] = [];

  constructor(changed: (layers: readonly LayerSettings[]) => void) {
    this.changed = changed;
    this.add.addEventListener('click', () => {
      const last = this.layers.at(-1);
      const units = last ? Math.max(16, last.units >> 1) : 128;
      this.edit([...this.layers, { units, activation: last?.activation ?? 'relu' }]);
      this.nodes.at(-1)?.units.select();
    });
    find(this.foreign, 'button').addEventListener('click', () => this.changed(this.layers));
  }

  show(layers: readonly LayerSettings[]): void {
    this.layers = layers;
    if (this.nodes.length !== layers.length || this.strip.childElementCount === 0) this.build();
    for (const [i, node] of this.nodes.entries()) {
      const { units, activation } = layers[i];
      if (document.activeElement !== node.units) node.units.value = String(units);
      node.activation.value = activation;
    }
    this.count();
    this.add.disabled = layers.length >= LIMITS.layers.most;
  }

  /** What the worker made of it. */
  ready({ editable, network }: ReadyEvent): void {
    this.foreign.hidden = editable;
    this.strip.hidden = !editable;
    this.add.hidden = !editable;
    find(this.foreign, 'ul').replaceChildren(...network.map((line) => make('li', {}, line)));
  }

  private edit(layers: readonly LayerSettings[]): void {
    this.show(layers);
    this.changed(layers);
  }

  private build(): void {
    this.nodes = this.layers.map((_, i) => this.node(i));
    const items: HTMLElement[] = [
      end('Input', '28 × 28', 'pixels'),
      ...this.nodes.map(({ item }) => item),
      end('Output', String(CLASSES), 'classes, softmax'),
    ];
    this.strip.replaceChildren(...items.flatMap((item, i) => (i === 0 ? [item] : [threads(), item])));
  }

  private node(at: number): LayerNode {
    const number = at + 1;
    const units = make('input', {
      type: 'number',
      'aria-label': `Units of layer ${number}`,
      min: LIMITS.units.least,
      max: LIMITS.units.most,
      inputmode: 'numeric',
    });
    const activation = make(
      'select',
      { 'aria-label': `Activation of layer ${number}` },
      ...ACTIVATIONS.map((name) => make('option', { value: name }, name)),
    );
    const remove = make(
      'button',
      {
        type: 'button',
        class: 'quiet remove',
        'aria-label': `Remove layer ${number}`,
        title: 'Remove this layer',
      },
      '×',
    );
    const parameters = make('p', { class: 'parameters number muted' });
    const replace = (layer: Partial<LayerSettings>) =>
      this.edit(this.layers.map((one, i) => (i === at ? { ...one, ...layer } : one)));
    units.addEventListener('change', () => {
      const { least, most } = LIMITS.units;
      const wanted = Math.round(Number(units.value)) || this.layers[at].units;
      units.value = String(Math.min(most, Math.max(least, wanted)));
      if (Number(units.value) !== this.layers[at].units) replace({ units: Number(units.value) });
    });
    activation.addEventListener('change', () => replace({ activation: activation.value as ActivationName }));
    remove.addEventListener('click', () => {
      this.edit(this.layers.filter((_, i) => i !== at));
      (this.nodes[Math.min(at, this.nodes.length - 1)]?.remove ?? this.add).focus();
    });
    const head = make('p', { class: 'layer-name' }, `Layer ${number}`, remove);
    const item = make('li', { class: 'layer' }, head, units, activation, parameters);
    return { item, units, activation, remove, parameters };
  }

  /** Parameters of each layer, and as many threads as sizes on a logarithmic scale. */
  private count(): void {
    const sizes = [PIXELS, ...this.layers.map(({ units }) => units), CLASSES];
    for (const [i, { parameters }] of this.nodes.entries()) {
      const all = (sizes[i] + 1) * sizes[i + 1];
      sayParameters(parameters, all);
      parameters.title = `${plural(all, 'parameter')}: ${count(sizes[i])} × ${count(sizes[i + 1])} weights and ${count(sizes[i + 1])} biases`;
    }
    const last = sizes.length - 2;
    const out = this.strip.querySelector<HTMLElement>('.end:last-child .parameters');
    if (out) sayParameters(out, (sizes[last] + 1) * CLASSES);
    for (const [i, svg] of [...this.strip.querySelectorAll('svg')].entries()) {
      weave(svg, ports(sizes[i]), ports(sizes[i + 1]));
    }
  }
}

function end(name: string, size: string, words: string): HTMLElement {
  return make(
    'li',
    { class: 'layer end' },
    make('p', { class: 'layer-name' }, name),
    make('p', { class: 'size number' }, size),
    make('p', { class: 'muted' }, words),
    make('p', { class: 'parameters number muted' }),
  );
}

function sayParameters(where: HTMLElement, all: number): void {
  where.replaceChildren(count(all), make('span', { class: 'unit' }, ' param.'));
}

function threads(): HTMLElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 100 100');
  svg.setAttribute('preserveAspectRatio', 'none');
  const item = make('li', { class: 'threads', 'aria-hidden': 'true', role: 'presentation' });
  item.append(svg);
  return item;
}

/** Ends of threads at a layer of so many units. */
const ports = (units: number): number => Math.min(9, Math.max(2, Math.round(Math.log2(units + 1))));

function weave(svg: SVGElement, left: number, right: number): void {
  if (svg.dataset.ports === `${left}-${right}`) return;
  svg.dataset.ports = `${left}-${right}`;
  const place = (i: number, n: number) => (100 * (i + 0.5)) / n;
  const group = document.createElementNS(SVG, 'g');
  for (let i = 0; i < left; i++) {
    for (let j = 0; j < right; j++) {
      const path = document.createElementNS(SVG, 'path');
      const [from, to] = [place(i, left), place(j, right)];
      path.setAttribute('d', `M0 ${from} C50 ${from} 50 ${to} 100 ${to}`);
      group.append(path);
    }
  }
  svg.replaceChildren(group);
}
