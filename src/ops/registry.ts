/**
 * The book of mathematics: every op with its float64 twin, and every composite, by name. Tests, the benchmark
 * and `selfTest()` are loops over it. Nothing else imports it, so that applications need not carry the twins.
 */
import * as activations from './activations.ts';
import * as argReduce from './arg-reduce.ts';
import * as arrange from './arrange.ts';
import * as attention from './attention.ts';
import * as binary from './binary.ts';
import * as constant from './constant.ts';
import * as convolution from './convolution.ts';
import * as create from './create.ts';
import * as crossEntropy from './cross-entropy.ts';
import type { Composite, ProvenOp } from './define.ts';
import * as depthwise from './depthwise.ts';
import * as einsum from './einsum.ts';
import * as half from './half.ts';
import * as kept from './kept.ts';
import * as matmul from './matmul.ts';
import * as mod from './mod.ts';
import * as movement from './movement.ts';
import * as normalize from './normalize.ts';
import * as pooling from './pooling.ts';
import * as random from './random.ts';
import * as recurrence from './recurrence.ts';
import * as reduce from './reduce.ts';
import * as resize from './resize.ts';
import * as scan from './scan.ts';
import * as scatter from './scatter.ts';
import * as scatterNd from './scatter-nd.ts';
import * as select from './select.ts';
import * as sgdLinear from './sgd-linear.ts';
import * as softmax from './softmax.ts';
import * as sort from './sort.ts';
import * as statistics from './statistics.ts';
import * as trigonometry from './trigonometry.ts';
import * as unary from './unary.ts';
import * as windows from './windows.ts';

/** Every op and composite by name. */
export const registry: ReadonlyMap<string, ProvenOp | Composite> = collect([
  ...constant.twins,
  ...random.twins,
  ...unary.twins,
  ...binary.twins,
  ...select.twins,
  ...reduce.twins,
  ...half.twins,
  ...kept.twins,
  ...matmul.twins,
  ...convolution.twins,
  ...windows.twins,
  ...pooling.twins,
  ...depthwise.twins,
  ...resize.twins,
  ...movement.twins,
  ...scatter.twins,
  ...softmax.twins,
  ...argReduce.twins,
  ...crossEntropy.twins,
  ...sgdLinear.twins,
  ...recurrence.twins,
  ...attention.twins,
  ...normalize.twins,
  ...trigonometry.twins,
  ...mod.twins,
  ...activations.twins,
  ...statistics.twins,
  ...create.twins,
  ...arrange.twins,
  ...einsum.twins,
  ...scan.twins,
  ...sort.twins,
  ...scatterNd.twins,
]);

function collect(twins: readonly (() => ProvenOp | Composite)[]): Map<string, ProvenOp | Composite> {
  const entries = new Map<string, ProvenOp | Composite>();
  for (const make of twins) {
    const entry = make();
    if (entries.has(entry.name)) throw new Error(`two ops are called ${entry.name}`);
    entries.set(entry.name, entry);
  }
  return entries;
}
