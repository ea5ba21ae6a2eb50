/** `model.summary()` as tf.keras 2 prints it, to the character (`utils/layer_utils.py`). */
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { type InputShape, isList } from '../layers/symbolic.ts';
import { memorySize } from './format.ts';
import { bytes, count, isNetwork, printable, type Summarized, type SummaryOptions } from './summary.ts';

/** Characters as Python counts them. */
const characters = (text: string): string[] => [...text];

/** A line is broken after these, so that lists of shapes keep together. */
const BREAKS = ['),', '},', '],', "',"];

/** Where a field is cut: after `room` characters, or before, where a list has an end. */
function cut(field: readonly string[], room: number): number {
  const text = field.slice(0, room).join('');
  const ends = BREAKS.flatMap((end) =>
    text.includes(end) ? [characters(text.split(end)[0]).length + 2] : [],
  );
  return ends.length > 0 ? Math.min(...ends) : room;
}

/** The lines of one row: what does not fit a column goes on below. */
function rowLines(fields: readonly string[], positions: readonly number[], level = 0): string[] {
  let left = fields.map(characters);
  const last = positions.length - 1;
  const lines: string[] = [];
  while (left.some((field) => field.length > 0)) {
    let line: string[] = [];
    left = left.map((field, column) => {
      const start = column === 0 ? 0 : positions[column - 1];
      // Two spaces stand between columns, and one before each but the last.
      const room = positions[column] - start - (column === last ? 0 : 3) - (column === 0 ? level : 0);
      const end = cut(field, room);
      if (column === 0) line = characters(`${'|'.repeat(level)} `);
      line.push(...field.slice(0, end), ...(column === last ? '' : '  '));
      const until = positions[column] - (column === last ? level : 0);
      line.push(...' '.repeat(Math.max(until - line.length, 0)));
      return field.slice(end);
    });
    lines.push(line.join('') + '|'.repeat(level));
  }
  return lines;
}

/** A shape as a Python tuple; several, and that of an input, as a list. */
function tuple(shape: InputShape | null): string {
  if (shape === null) return '?';
  if (isList(shape)) return `[${shape.map(tuple).join(', ')}]`;
  const sizes = shape.map((size) => size ?? 'None');
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}

const total = (label: string, weights: readonly Variable[]): string =>
  `${label}: ${count(weights)} (${memorySize(bytes(weights)).replace(/ B$/, ' Byte')})`;

/** The summary's lines. The optimizer is not in it. */
export function keras2SummaryLines(model: Summarized, options: Required<SummaryOptions>): string[] {
  const { showTrainable, expandNested } = options;
  const connected = isNetwork(model);
  const own = options.lineLength ?? (connected ? 98 : 65);
  const shares = options.positions ?? (connected ? [0.3, 0.6, 0.7, 1] : [0.45, 0.85, 1]);
  const positions = shares.map((share) => (shares[shares.length - 1] <= 1 ? Math.trunc(own * share) : share));
  const width = own + (showTrainable ? 11 : 0);
  if (showTrainable) positions.push(width);
  const optional = (text: string): string[] => (showTrainable ? [text] : []);

  const rule = (level: number, dash: string): string =>
    '|'.repeat(level) + dash.repeat(width - 2 * level) + '|'.repeat(level);
  const layerLines = (layer: Layer, level: number, isLast: boolean): string[] => {
    const shape = model.outputShapeOf(layer);
    const connections = connected ? (model.connectionsOf!(layer) ?? []) : [];
    const fields = [
      `${printable(layer.name)} (${printable(layer.className)})`,
      layer.className === 'InputLayer' ? `[${tuple(shape)}]` : tuple(shape),
      layer.built ? String(layer.countParams()) : '0 (unused)',
      ...(connected ? [`[${connections.map((one) => `'${printable(one)}'`).join(', ')}]`] : []),
      ...optional(layer.trainable ? 'Y' : 'N'),
    ];
    const inner = expandNested ? layer.layers : [];
    return [
      ...rowLines(fields, positions, level),
      ...(inner.length > 0 ? [rule(level + 1, '¯')] : []),
      ...inner.flatMap((one, i) => layerLines(one, level + 1, i === inner.length - 1)),
      // What ends an inner table is not followed by an empty line, nor is the last layer in it.
      ...(inner.length > 0 ? [rule(level, '¯')] : isLast ? [] : [rule(level, ' ')]),
    ];
  };
  const { trainableWeights, nonTrainableWeights } = model;
  return [
    `Model: "${printable(model.name)}"`,
    '_'.repeat(width),
    ...rowLines(
      [
        'Layer (type)',
        'Output Shape',
        'Param #',
        ...(connected ? ['Connected to'] : []),
        ...optional('Trainable'),
      ],
      positions,
    ),
    '='.repeat(width),
    ...model.layers.flatMap((layer) => layerLines(layer, 0, false)),
    '='.repeat(width),
    total('Total params', [...trainableWeights, ...nonTrainableWeights]),
    total('Trainable params', trainableWeights),
    total('Non-trainable params', nonTrainableWeights),
    '_'.repeat(width),
  ];
}
