/** What a kernel's tuning depends on, in words that stay the same from program to program. */
import { hash } from '../base/hash.ts';
import { type Tuning, wordsOf } from '../engine/tuning.ts';
import type { Facts, KernelCall, KernelFamily } from '../ops/define.ts';
import { kernels, library } from '../shaders/index.ts';

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

/** Why a kernel cannot run in a variant that a file or a record asks for, or null. `standard` is its family's choice. */
export function refusalOf(
  family: KernelFamily,
  call: KernelCall,
  standard: Tuning,
  tuning: Tuning,
): string | null {
  const { profile } = call;
  const own = { tuning: standard, refused: null };
  const listed = [own, ...family.candidates!(profile, call), ...family.candidates!(profile)];
  const same = listed.find((one) => wordsOf(one.tuning) === wordsOf(tuning));
  if (same) return same.refused;
  // The rule of another adapter may have chosen what is not worth trying here. Its form is checked, for its
  // values become text of a shader.
  const known = family.refusal && listed.some((one) => isAlike(one.tuning, tuning));
  return known ? family.refusal!(profile, tuning) : `no variant of ${family.name}`;
}

/** The same names, with numbers for numbers and words for the same words. */
function isAlike(known: Tuning, tuning: Tuning): boolean {
  const names = Object.keys(known);
  if (names.length !== Object.keys(tuning).length) return false;
  return names.every((name) => {
    const [ours, theirs] = [known[name], tuning[name]];
    if (typeof ours === 'string') return ours === theirs;
    if (typeof ours === 'boolean') return typeof theirs === 'boolean';
    return typeof theirs === 'number' && Number.isInteger(theirs) && theirs > 0 && theirs <= MOST;
  });
}

/** No tile and no workgroup is larger than this. */
const MOST = 1024;

let fingerprint: string | undefined;

/** A fingerprint of all shader texts: what was measured with other ones says nothing about these. */
export function shaderFingerprint(): string {
  fingerprint ??= hash(Object.values({ ...kernels, ...library }).join('\n'));
  return fingerprint;
}
