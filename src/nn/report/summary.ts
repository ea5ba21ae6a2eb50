/** `model.summary()`: Keras 3's table to the character (`utils/summary_utils.py`). */
import { ValueError } from '../../base/errors.ts';
import { byteSize } from '../../ops/dtype.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { BatchShape, Layer } from '../layers/layer.ts';
import { memorySize, thousands } from './format.ts';
import { type Alignment, BOLD, type Cell, type Column, drawTable, type Span, styled } from './table.ts';

export interface SummaryOptions {
  /** Total width of the table; default: the terminal's less 4, at most 88, or 108 for networks (12 more with `showTrainable`). */
  lineLength?: number | null;
  /** Where columns end, as shares of the width; default [0.45, 0.8, 1], for networks [0.3, 0.56, 0.74, 1]. */
  positions?: readonly number[] | null;
  /** A fourth column: Y where training changes the layer, N where not, - without weights; default false. */
  showTrainable?: boolean;
  /** Also the layers inside of layers; default false. */
  expandNested?: boolean;
}

/** What a summary is made of. */
export interface Summarized {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly trainableWeights: readonly Variable[];
  readonly nonTrainableWeights: readonly Variable[];
  /** The optimizer's variables once it has them. */
  readonly optimizerVariables: readonly Variable[] | null;
  /** What comes out of a layer of this model, or null before it is built. */
  outputShapeOf(layer: Layer): BatchShape | null;
  /** What goes into a layer, as `name[use][value]`, where the layers are not all in a row. */
  connectionsOf?(layer: Layer): readonly string[] | null;
}

const NUMBER = '38;5;34';
const NONE = '38;5;45';
const CLASS = '38;5;33';

const number = (text: string | number): Span => ({ text: String(text), style: NUMBER });
const plain = (text: string): Span => ({ text });

function shapeCell(shape: BatchShape | null): Cell {
  if (shape === null) return [plain('?')];
  const sizes = shape.flatMap((size, i): Span[] => [
    ...(i > 0 ? [plain(', ')] : []),
    size === null ? { text: 'None', style: NONE } : number(size),
  ]);
  return [plain('('), ...sizes, plain(')')];
}

/** `name[0][1]`, and so on. */
function connectionsCell(connections: readonly string[]): Cell {
  if (connections.length === 0) return [plain('-')];
  return connections.flatMap((one, i): Span[] => {
    const [, name, use, value] = /^(.*)\[(\d+)\]\[(\d+)\]$/.exec(printable(one))!;
    return [plain(`${i > 0 ? ', ' : ''}${name}[`), number(use), plain(']['), number(value), plain(']')];
  });
}

function trainableCell(layer: Layer): Cell {
  if (layer.weights.length === 0) return [{ text: '-', style: BOLD }];
  return [layer.trainable ? { text: 'Y', style: `${BOLD};${NUMBER}` } : { text: 'N', style: `${BOLD};91` }];
}

/** Names come from users and files: what would move the cursor is shown as a question mark. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?');

/** Does the table say what goes into each layer? */
export const isNetwork = (model: Summarized): boolean =>
  model.layers.some((layer) => (model.connectionsOf?.(layer) ?? null) !== null);

function rowsOf(model: Summarized, options: Required<SummaryOptions>): Cell[][] {
  const rows: Cell[][] = [];
  const connected = isNetwork(model);
  const add = (layer: Layer, level: number): void => {
    const prefix = level === 0 ? '' : `${'   '.repeat(level)}└ `;
    const name = plain(`${prefix}${printable(layer.name)} (`);
    rows.push([
      [name, { text: printable(layer.className), style: CLASS }, plain(')')],
      shapeCell(model.outputShapeOf(layer)),
      layer.built ? [number(thousands(layer.countParams()))] : [number(0), plain(' (unbuilt)')],
      ...(connected ? [connectionsCell(model.connectionsOf!(layer) ?? [])] : []),
      ...(options.showTrainable ? [trainableCell(layer)] : []),
    ]);
    if (options.expandNested) for (const inner of layer.layers) add(inner, level + 1);
  };
  for (const layer of model.layers) add(layer, 0);
  return rows;
}

function columnsOf(options: Required<SummaryOptions>, lineLength: number, connected: boolean): Column[] {
  const titles = ['Layer (type)', 'Output Shape', 'Param #'];
  const alignments: Alignment[] = ['left', 'left', 'right'];
  let positions = options.positions ?? (connected ? [0.3, 0.56, 0.74, 1] : [0.45, 0.8, 1]);
  if (connected) {
    titles.push('Connected to');
    alignments.push('left');
  }
  if (options.showTrainable) {
    titles.push('Trainable');
    alignments.push('center');
    positions = [...positions.map((position) => position * 0.9), 1];
  }
  let end = 0;
  return titles.map((title, i) => {
    const width = Math.floor(positions[i] * lineLength) - end;
    end += width;
    if (!(width >= 4))
      throw new ValueError(
        `summary: column ${JSON.stringify(title)} is ${width} characters wide; expected 4 or more. Use a wider terminal or lineLength.`,
      );
    return { title, alignment: alignments[i], width };
  });
}

export const count = (weights: readonly Variable[]): number =>
  weights.reduce((sum, weight) => sum + weight.size, 0);
export const bytes = (weights: readonly Variable[]): number =>
  weights.reduce((sum, weight) => sum + byteSize(weight.dtype, weight.size), 0);

/** The summary's lines. `columns` is the width of the terminal. */
export function summaryLines(
  model: Summarized,
  options: Required<SummaryOptions>,
  columns = 80,
  color = false,
): string[] {
  const connected = isNetwork(model);
  const widest = (connected ? 108 : 88) + (options.showTrainable ? 12 : 0);
  const lineLength = options.lineLength ?? Math.min(widest, columns - 4);
  const total = (label: string, ...groups: (readonly Variable[])[]): string => {
    const all = groups.flat();
    const head = styled({ text: ` ${label}: `, style: BOLD }, color);
    return `${head}${styled(number(thousands(count(all))), color)} (${memorySize(bytes(all))})`;
  };
  const { trainableWeights, nonTrainableWeights, optimizerVariables } = model;
  return [
    styled({ text: `Model: "${printable(model.name)}"`, style: BOLD }, color),
    ...drawTable(columnsOf(options, lineLength, connected), rowsOf(model, options), lineLength, color),
    total('Total params', trainableWeights, nonTrainableWeights, optimizerVariables ?? []),
    total('Trainable params', trainableWeights),
    total('Non-trainable params', nonTrainableWeights),
    ...(optimizerVariables ? [total('Optimizer params', optimizerVariables)] : []),
  ];
}
