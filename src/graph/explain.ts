/** What the kernels of a plan do, in words and numbers: which ops each holds, what it moves and computes. */
import type { Command, Step } from '../engine/recorder.ts';
import type { Choice } from '../engine/tuning.ts';
import { storedAs } from '../ops/define.ts';
import { byteSize, type DType } from '../ops/dtype.ts';
import type { Shape } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import type { Fuser } from './fuse.ts';
import type { Kernel } from './kernel.ts';
import { isLeaf } from './order.ts';

/** What a kernel reads or writes. */
export interface PlannedOperand {
  /** The variable's name; null for data and for values of the step itself. */
  readonly name: string | null;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Bytes that pass, each counted once: of gathered data only the rows that are taken. */
  readonly bytes: number;
  /** The number of the kernel that made what is read; null where it was there before the step. */
  readonly from: number | null;
}

/** An op that a kernel holds. */
export interface PlannedOp {
  readonly op: string;
  readonly shape: Shape;
  /** Where: melted into what the kernel loads, its own work, or melted into what it stores. */
  readonly part: 'load' | 'kernel' | 'store';
  /** Arithmetic, by the op's own account. */
  readonly flops: number;
}

/** A line of `explain()`. Plain data. */
export interface PlannedKernel {
  /** Its number in the plan, from 0. */
  readonly index: number;
  readonly label: string;
  /** The names of its ops. */
  readonly ops: readonly string[];
  readonly parts: readonly PlannedOp[];
  /** How many tensors it does the same to: above 1 for the updates of an optimizer. */
  readonly tensors: number;
  readonly reads: readonly PlannedOperand[];
  readonly writes: readonly PlannedOperand[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
  readonly workgroups: readonly [number, number, number];
  readonly storageBuffers: number;
  /** Which variant of its family it is, and why; absent for kernels that have only one. */
  readonly tuning?: Choice & { readonly family: string };
  /** The values that its text and pipeline were made with: tile sizes, workgroup size, … */
  readonly constants: Readonly<Record<string, number | string | boolean>>;
  /** The number of the first kernel with the same pipeline; its own where it is the first. */
  readonly pipeline: number;
  /** The WGSL as it was compiled. */
  readonly shader: string;
}

/** What a plan remembers of a command. */
export interface Sketch {
  readonly command: Command;
  /** The kernels that it runs, those of one structure in one list; none for a copy. */
  readonly formulas: readonly (readonly Kernel[])[];
  readonly written: readonly Tensor[];
  readonly tuning?: PlannedKernel['tuning'];
  /** What a copy copies. */
  readonly copied?: Tensor;
}

/** A finished plan, as far as it can be told. */
export interface Told {
  readonly sketches: readonly Sketch[];
  readonly steps: readonly Step[];
  readonly fuser: Fuser;
  /** The name of the variable behind a leaf or an update's value, if it has one. */
  readonly nameOf: (tensor: Tensor) => string | null;
}

/** The kernels in the order in which they run. */
export function explainKernels({ sketches, steps, fuser, nameOf }: Told): PlannedKernel[] {
  const sketchOf = new Map(sketches.map((sketch) => [sketch.command, sketch]));
  const ran = steps.map(({ command }) => sketchOf.get(command)!);
  const madeBy = new Map<Tensor, number>();
  ran.forEach(({ written }, index) => {
    for (const tensor of written) madeBy.set(tensor, index);
  });
  const operand = (tensor: Tensor, elements: number, from: number | null): PlannedOperand => ({
    name: nameOf(tensor),
    shape: tensor.shape,
    dtype: tensor.dtype,
    bytes: byteSize(storedAs(tensor), elements),
    from,
  });
  return ran.map(({ command, formulas, written, copied, tuning }, index) => {
    const byFormula = formulas.map((kernels) => kernels.map((kernel) => workOf(kernel, fuser)));
    const works = byFormula.flat();
    const taken: (readonly [Tensor, number])[] = copied
      ? [[copied, copied.size]]
      : works.flatMap(({ reads }) => [...reads]);
    const reads = taken.map(([tensor, elements]) => operand(tensor, elements, madeBy.get(tensor) ?? null));
    const writes = written.map((tensor) => operand(tensor, tensor.size, null));
    // Kernels of one formula have the same parts.
    const parts = byFormula.flatMap(([first]) => first.parts);
    return {
      index,
      label: command.label,
      ops: works.length > 0 ? parts.map(({ op }) => op) : ['assign'],
      parts,
      tensors: Math.max(1, works.length),
      reads,
      writes,
      bytesRead: total(reads.map(({ bytes }) => bytes)),
      bytesWritten: total(writes.map(({ bytes }) => bytes)),
      flops: total(works.flatMap((work) => work.parts.map(({ flops }) => flops))),
      workgroups: command.workgroups,
      storageBuffers: Object.keys(command.bindings).length,
      ...(tuning ? { tuning } : {}),
      constants: { ...command.tune, ...command.constants },
      pipeline: steps.findIndex(({ pipeline }) => pipeline === steps[index].pipeline),
      shader: command.shader.code,
    };
  });
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

/** The names of a kernel's ops: its own first, then what melted into it. */
export const opsOf = (kernel: Kernel, fuser: Fuser): string[] =>
  workOf(kernel, fuser).parts.map(({ op }) => op);

/**
 * What a kernel computes, and how many elements of what it takes from memory. Walks from its results to
 * what has memory; whoever wants only some rows of an expression wants only those of what is behind it.
 */
function workOf(kernel: Kernel, fuser: Fuser): { parts: PlannedOp[]; reads: Map<Tensor, number> } {
  const parts: PlannedOp[] = [];
  const reads = new Map<Tensor, number>();
  const seen = new Map<Tensor, number>();
  const add = (node: Tensor, part: PlannedOp['part'], wanted: number): void => {
    const { op, inputs, attributes, shape, size } = node;
    if (op!.alias || op!.silent) return;
    const { flops } = op!.cost?.(inputs, node, attributes) ?? { flops: 0 };
    parts.push({ op: op!.name, shape, part, flops: size > 0 ? Math.round((flops * wanted) / size) : 0 });
  };
  const visit = (node: Tensor, part: PlannedOp['part'], asked: number, isRoot = false): void => {
    const maker = fuser.producer.get(node);
    if (!isRoot && maker === kernel) return;
    const wanted = Math.min(node.size, asked);
    const known = seen.get(node);
    if (known !== undefined && known >= wanted) return;
    seen.set(node, wanted);
    if (!isRoot && (maker || isLeaf(node))) {
      reads.set(node, wanted);
      return;
    }
    // A short sum needs all that it adds up.
    for (const input of node.inputs) visit(input, part, node.op!.kernel ? input.size : wanted);
    if (known === undefined) add(node, part, wanted);
  };
  for (const output of kernel.outputs.values()) add(output, 'kernel', output.size);
  for (const { tensor, host } of kernel.roots)
    visit(tensor, host === null ? 'kernel' : 'store', tensor.size, true);
  for (const input of kernel.inputs.values()) visit(input, 'load', input.size);
  return { parts, reads };
}
