/** What a kernel's tuning depends on, in words that stay the same from program to program. */
import { hash } from '../base/hash.ts';
import type { Facts, KernelCall } from '../ops/define.ts';

/**
 * A kernel as a question to the tuner: `matmul a:f32[32,784] b:f32[784,128] → y:f32[32,128] transposeA #5e884898`.
 * The last word is a fingerprint of `holes`, what other ops melted into its loads and stores.
 */
export function tuningKey(
  family: string,
  { inputs, outputs, attributes }: KernelCall,
  holes: string,
): string {
  const facts = (of: Readonly<Record<string, Facts>>): string[] =>
    Object.entries(of).map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape}]`);
  const settings = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? name : `${name}=${JSON.stringify(value)}`));
  return [family, ...facts(inputs), '→', ...facts(outputs), ...settings, `#${hash(holes).slice(0, 8)}`].join(
    ' ',
  );
}
