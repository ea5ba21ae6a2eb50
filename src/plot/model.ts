/** A model as boxes and arrows, as Keras's `plot_model` draws it. */
import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { AXIS, GRID, INK, MUTED, PAPER, SERIES } from './palette.ts';
import { label, sheet, textWidth } from './sheet.ts';
import { element, type Markup, round } from './svg.ts';

/** What is drawn of a layer. */
interface DrawnLayer {
  readonly name: string;
  readonly className: string;
  readonly trainable?: boolean;
  readonly weights?: readonly unknown[];
  readonly layers?: readonly DrawnLayer[];
  readonly activation?: unknown;
  readonly batchInputShape?: Sizes | null;
}

type Sizes = readonly (number | null)[];

interface DrawnValue {
  readonly shape: Sizes;
  readonly dtype: string;
  readonly call: DrawnCall;
}

interface DrawnCall {
  readonly layer: DrawnLayer;
  readonly inputs: readonly DrawnValue[];
  readonly outputs: readonly DrawnValue[];
}

/** What is drawn of a model: a network of layers, or layers in a row. */
export interface DrawnModel extends DrawnLayer {
  readonly layers: readonly DrawnLayer[];
  readonly network?: {
    readonly inputs: readonly DrawnValue[];
    readonly outputs: readonly DrawnValue[];
    readonly calls: readonly DrawnCall[];
  } | null;
  readonly inputShape?: Sizes | readonly Sizes[] | null;
  outputShapeOf?(layer: never): Sizes | null;
}

export interface ModelOptions {
  /** The model's name unless given; none when null. */
  readonly title?: string | null;
  /** Shapes of what goes in and comes out, as far as they are known; default false. */
  readonly showShapes?: boolean;
  /** The dtype of what comes out; default false. */
  readonly showDtype?: boolean;
  /** The layers' names; default true. */
  readonly showLayerNames?: boolean;
  /** The activations of layers that have one; default false. */
  readonly showActivations?: boolean;
  /** T or NT: whether training changes the layer; default false. */
  readonly showTrainable?: boolean;
  /** Models inside of the model are drawn layer by layer; default false. */
  readonly expandNested?: boolean;
  /** 'TB': from the top down (default); 'LR': from the left to the right. */
  readonly direction?: 'TB' | 'LR';
}

/** One use of a layer. */
interface Node {
  readonly lines: readonly Line[];
  readonly from: Node[];
  readonly width: number;
  readonly height: number;
  /** Of a model that is drawn layer by layer: its name. */
  readonly within: string | null;
  rank: number;
  x: number;
  y: number;
}

interface Line {
  readonly words: string;
  readonly strong?: boolean;
}

const ROW = 19;
const PAD = 10;
const GAP = 26;
const STEP = 34;

/**
 * A model as a picture of its layers: a box for each use of a layer, arrows from what gives to what takes, as an SVG.
 *
 * Options are those of Keras's `plot_model`: shapes, dtypes, activations and whether training changes a layer stand in the box
 * where they are asked for. Throws ValueError for a model that has no layers yet.
 *
 * ```ts
 * await writeFile('model.svg', plot.model(net, { showShapes: true, showActivations: true }));
 * ```
 */
export function model(given: DrawnModel, chosen?: ModelOptions): string {
  const options = knownOptions<ModelOptions>('plot.model', chosen, [
    'title',
    'showShapes',
    'showDtype',
    'showLayerNames',
    'showActivations',
    'showTrainable',
    'expandNested',
    'direction',
  ]);
  if (typeof given !== 'object' || given === null || !Array.isArray(given.layers))
    throw new ValueError('plot.model: expected a model, as sequential and model make them.');
  const { title = given.name, direction = 'TB' } = options;
  if (direction !== 'TB' && direction !== 'LR')
    throw new ValueError(`plot.model: direction is '${direction}'; expected 'TB' or 'LR'.`);
  const nodes: Node[] = [];
  drawn(given, options, nodes, null, []);
  if (nodes.length === 0)
    throw new ValueError(`plot.model: ${given.name} has no layers yet. Add some, or build it.`);
  const { width, height, ways } = layOut(nodes, direction);
  const content = [
    element(
      'defs',
      {},
      element(
        'marker',
        { id: 'tip', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
        element('path', { d: 'M0 0L8 4L0 8z', fill: MUTED }),
      ),
    ),
    ...ways.map((way) => arrow(way, direction)),
    ...nodes.map(box),
  ];
  const words = nodes.map(({ lines }) => lines.map((line) => line.words).join(' ')).join('; ');
  return sheet([{ width, height, content }], {
    ...(title === null ? {} : { title }),
    description: `Model ${given.name}: ${words}`,
  });
}

/** Adds the nodes of a model; gives those that make its outputs. `sources`: what goes into it, where it is inside another. */
function drawn(
  given: DrawnModel,
  options: ModelOptions,
  nodes: Node[],
  within: string | null,
  sources: readonly Node[],
): readonly Node[] {
  const { network } = given;
  const add = (call: DrawnCall, from: readonly Node[]): Node => {
    const node = nodeOf(call, options, within);
    node.from.push(...new Set(from));
    nodes.push(node);
    return node;
  };
  /** The nodes that make a call's results. */
  const through = (call: DrawnCall, from: readonly Node[]): readonly Node[] => {
    const { layer } = call;
    const isModel = 'outputShapeOf' in layer && (layer.layers?.length ?? 0) > 0;
    if (!options.expandNested || !isModel) return [add(call, from)];
    return drawn(layer as DrawnModel, options, nodes, layer.name, from);
  };
  if (!network) {
    const { inputShape } = given;
    let shape = (inputShape ?? null) as Sizes | null;
    let last = sources;
    if (within === null && shape) last = [add(callOf(inputOf(shape), null, shape), [])];
    for (const layer of given.layers) {
      const output = given.outputShapeOf?.(layer as never) ?? null;
      last = through(callOf(layer, shape, output), last);
      shape = output;
    }
    return last;
  }
  const makers = new Map<DrawnCall, readonly Node[]>();
  for (const [i, { call }] of network.inputs.entries())
    makers.set(call, within === null ? [add({ ...call, inputs: [] }, [])] : sources.slice(i, i + 1));
  for (const call of network.calls)
    makers.set(
      call,
      through(
        call,
        call.inputs.flatMap((input) => makers.get(input.call) ?? []),
      ),
    );
  return network.outputs.flatMap(({ call }) => makers.get(call) ?? []);
}

const inputOf = (shape: Sizes): DrawnLayer => ({
  name: 'input',
  className: 'InputLayer',
  batchInputShape: shape,
});

/** A layer in a row as a use of it. */
function callOf(layer: DrawnLayer, input: Sizes | null, output: Sizes | null): DrawnCall {
  const call: { layer: DrawnLayer; inputs: DrawnValue[]; outputs: DrawnValue[] } = {
    layer,
    inputs: [],
    outputs: [],
  };
  const value = (shape: Sizes): DrawnValue => ({ shape, dtype: 'f32', call });
  if (input) call.inputs.push(value(input));
  if (output) call.outputs.push(value(output));
  return call;
}

function nodeOf({ layer, inputs, outputs }: DrawnCall, options: ModelOptions, within: string | null): Node {
  const { showShapes, showDtype, showLayerNames = true, showActivations, showTrainable } = options;
  const lines: Line[] = [
    { words: showLayerNames ? `${layer.name} (${layer.className})` : layer.className, strong: true },
  ];
  const activation = activationOf(layer);
  if (showActivations && activation) lines.push({ words: `activation: ${activation}` });
  if (showShapes) {
    if (inputs.length > 0) lines.push({ words: `input: ${shapes(inputs)}` });
    if (outputs.length > 0) lines.push({ words: `output: ${shapes(outputs)}` });
  }
  if (showDtype)
    lines.push({ words: `output dtype: ${outputs.map(({ dtype }) => DTYPES[dtype] ?? dtype).join(', ')}` });
  if (showTrainable && layer.weights?.length)
    lines.push({ words: layer.trainable ? 'trainable' : 'not trainable' });
  const width = Math.max(...lines.map(({ words, strong }) => textWidth(words, 12, strong))) + 2 * PAD;
  return { lines, from: [], width, height: lines.length * ROW + PAD, within, rank: 0, x: 0, y: 0 };
}

const DTYPES: Readonly<Record<string, string>> = {
  f32: 'float32',
  i32: 'int32',
  u32: 'uint32',
  u8: 'uint8',
};

const shapes = (values: readonly DrawnValue[]): string =>
  values.map(({ shape }) => `(${shape.map((size) => size ?? 'None').join(', ')})`).join(', ');

function activationOf({ activation }: DrawnLayer): string | null {
  const name =
    typeof activation === 'string' ? activation : (activation as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : null;
}

// ---- where boxes stand

/**
 * Boxes in ranks: each one rank behind the last of those that it takes from. Within a rank they are ordered by where their
 * sources stand, and moved towards them as far as there is room (Sugiyama, Tagawa and Toda 1981).
 */
function layOut(boxes: readonly Node[], direction: 'TB' | 'LR') {
  const takers = new Map<Node, Node[]>(boxes.map((node) => [node, []]));
  // Boxes stand in an order in which sources come first.
  for (const node of boxes) {
    node.rank = Math.max(-1, ...node.from.map(({ rank }) => rank)) + 1;
    for (const source of node.from) takers.get(source)!.push(node);
  }
  // What nothing goes into stands right before what takes it first.
  for (const node of boxes)
    if (node.from.length === 0 && takers.get(node)!.length > 0)
      node.rank = Math.min(...takers.get(node)!.map(({ rank }) => rank)) - 1;
  // An arrow over several ranks passes a point in each, which takes room as boxes do.
  const nodes = [...boxes];
  const sources = new Map<Node, Node[]>();
  const ways: Node[][] = [];
  for (const node of boxes) {
    const nearest = node.from.map((source) => {
      const way = [source];
      for (let rank = source.rank + 1; rank < node.rank; rank++) {
        const point: Node = { lines: [], from: [], width: 8, height: 8, within: null, rank, x: 0, y: 0 };
        sources.set(point, [way.at(-1)!]);
        takers.set(point, []);
        takers.get(way.at(-1)!)!.push(point);
        nodes.push(point);
        way.push(point);
      }
      if (way.length > 1) {
        takers.set(
          source,
          takers.get(source)!.filter((taker) => taker !== node),
        );
        takers.get(way.at(-1)!)!.push(node);
      }
      ways.push([...way, node]);
      return way.at(-1)!;
    });
    sources.set(node, nearest);
  }
  const ranks: Node[][] = [];
  for (const node of nodes) {
    ranks[node.rank] ??= [];
    ranks[node.rank].push(node);
  }
  const down = direction === 'TB';
  const across = ({ width, height }: Node): number => (down ? width : height);
  const centre = (of: readonly Node[]): number =>
    of.reduce((sum, node) => sum + node.x + across(node) / 2, 0) / of.length;
  // Ranks are looked through forwards and backwards: first for the order, then for the places.
  for (let pass = 0; pass < 8; pass++) {
    const forwards = pass % 2 === 0;
    for (const rank of forwards ? ranks : [...ranks].reverse()) {
      const wanted = new Map(
        rank.map((node) => {
          const near = forwards ? sources.get(node)! : takers.get(node)!;
          return [node, near.length > 0 ? centre(near) : node.x + across(node) / 2];
        }),
      );
      if (pass < 6) rank.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
      spreadOut(rank, wanted, across);
    }
  }
  const left = Math.min(...nodes.map(({ x }) => x));
  let at = 0;
  for (const rank of ranks) {
    const depth = Math.max(...rank.map((node) => (down ? node.height : node.width)));
    for (const node of rank) {
      const place = node.x - left;
      const within = at + (depth - (down ? node.height : node.width)) / 2;
      [node.x, node.y] = down ? [place, within] : [within, place];
    }
    at += depth + STEP;
  }
  return {
    width: Math.max(...nodes.map(({ x, width }) => x + width)),
    height: Math.max(...nodes.map(({ y, height }) => y + height)),
    /** Of each arrow, from box to box. */
    ways,
  };
}

/** Puts boxes as near to their wanted centres as they fit, side by side in their order. */
function spreadOut(
  rank: readonly Node[],
  wanted: ReadonlyMap<Node, number>,
  across: (node: Node) => number,
): void {
  let end = Number.NEGATIVE_INFINITY;
  for (const node of rank) {
    node.x = Math.max(wanted.get(node)! - across(node) / 2, end);
    end = node.x + across(node) + GAP;
  }
  // The first come nearest: the row as a whole moves to the middle of what it wants.
  const off =
    rank.reduce((sum, node) => sum + wanted.get(node)! - node.x - across(node) / 2, 0) / rank.length;
  for (const node of rank) node.x += off;
}

// ---- drawing

function box({ lines, x, y, width, height, within }: Node): Markup {
  return element(
    'g',
    { transform: `translate(${x} ${y})` },
    element('rect', { width, height, rx: 4, fill: within === null ? PAPER : '#f7fbff', stroke: SERIES[0] }),
    ...(lines.length > 1
      ? [element('line', { x1: 0, x2: width, y1: ROW + 5, y2: ROW + 5, stroke: GRID })]
      : []),
    ...lines.map(({ words, strong }, i) =>
      label(words, {
        x: width / 2,
        y: ROW * (i + 1),
        'text-anchor': 'middle',
        fill: strong ? INK : MUTED,
        'font-weight': strong ? 600 : undefined,
      }),
    ),
  );
}

function arrow(way: readonly Node[], direction: 'TB' | 'LR'): Markup {
  const down = direction === 'TB';
  const last = way.length - 1;
  const points = way.map(({ x, y, width, height }, i): [number, number] => {
    if (i > 0 && i < last) return [x + width / 2, y + height / 2];
    if (down) return [x + width / 2, i === 0 ? y + height : y - 2];
    return [i === 0 ? x + width : x - 2, y + height / 2];
  });
  let d = `M${points[0].map(round).join(' ')}`;
  for (let i = 1; i <= last; i++) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
    const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const curve = down ? [x1, my, x2, my, x2, y2] : [mx, y1, mx, y2, x2, y2];
    d += `C${curve.map(round).join(' ')}`;
  }
  return element('path', { d, fill: 'none', stroke: AXIS, 'stroke-width': 1.2, 'marker-end': 'url(#tip)' });
}
