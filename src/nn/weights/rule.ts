/** Rules about weights, as layers are given them: by name, description, function, or made. */
import type { Tensor } from '../../ops/tensor.ts';
import { type Maker, Makers } from '../names.ts';

/** A function of a weight that files can describe: a regularizer's penalty, or what a constraint makes of it. */
export interface WeightRule {
  /** Keras's class name: 'L2'. */
  readonly className: string;
  /** The options in full, as Keras names them in camelCase. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly of: (weight: Tensor) => Tensor;
}

/** One of ours, which a class name and options make again. */
export class KnownRule implements WeightRule {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly of: (weight: Tensor) => Tensor;

  constructor(className: string, config: object, of: (weight: Tensor) => Tensor) {
    this.className = className;
    this.config = config as Record<string, unknown>;
    this.of = of;
  }
}

/** What makes such a rule again: class and options for ours, else what the user gave. */
export const describeRule = (rule: WeightRule | null): unknown =>
  rule instanceof KnownRule
    ? { className: rule.className, config: rule.config }
    : ((rule as { source?: unknown } | null)?.source ?? rule);

/** What a layer takes for a rule; null for none. */
export type WeightRuleLike =
  | WeightRule
  | string
  | { className: string; config?: object }
  | ((weight: Tensor) => Tensor)
  | null;

/** How a kind of rule is found by any of its names. */
export function ruleResolver(
  kind: string,
  table: Readonly<Record<string, Maker<WeightRule>>>,
): (given: unknown, operation: string) => WeightRule | null {
  const makers = new Makers<WeightRule>(kind, table);
  return (given, operation) => {
    if (given === null || given === undefined) return null;
    if (typeof given === 'function')
      return {
        className: given.name || 'custom',
        config: {},
        of: given as (weight: Tensor) => Tensor,
        source: given,
      } as WeightRule;
    if (typeof given === 'object' && 'of' in given) return given as WeightRule;
    return makers.make(given, operation);
  };
}
