/** The engines on which random programs run: the adapter as it is, and as others would be. */
import type { Profile } from '../../src/index.ts';
import { type Engine, type InitOptions, init } from '../../src/index.ts';
import { keepQuiet } from '../../src/ops/half.ts';

export interface Setting {
  readonly name: string;
  readonly options?: InitOptions;
  /** What the profile claims instead. */
  readonly profile?: Partial<Profile>;
}

/** Workgroups of 64, products through workgroup memory and in slices of their inner sums. */
const GPU = { isSoftware: false, vendor: 'nvidia', architecture: 'hand-written', backendName: 'nvidia' };

export const settings: readonly Setting[] = [
  { name: 'the adapter as it is' },
  { name: 'freed memory poisoned', options: { debug: { poison: true } } },
  { name: 'a GPU by its profile', profile: GPU },
  {
    name: 'the least limits, no features',
    options: {
      limits: { maxComputeInvocationsPerWorkgroup: 128, maxStorageBuffersPerShaderStage: 8 },
      features: [],
    },
  },
  // SwiftShader is given four elements a lane, other software drivers one.
  { name: 'one element a lane', profile: { backendName: 'llvmpipe' } },
  { name: 'four elements a lane', profile: { backendName: 'swiftshader' } },
  { name: 'no memory used twice', options: { debug: { noReuse: true } } },
  { name: 'traced at every call', options: { debug: { noReplay: true } } },
];

/** The default engine from now on, as in the script that a failing program is printed as. */
export async function openEngine({ options = {}, profile }: Setting): Promise<Engine> {
  const engine = await init({ seed: 1, ...options });
  if (profile) Object.defineProperty(engine, 'profile', { value: { ...engine.profile, ...profile } });
  // Rounding to f16 is meant here, where it saves nothing too.
  keepQuiet(engine.profile);
  return engine;
}

/** The same in code. */
export function engineLines({ options = {}, profile }: Setting): string[] {
  const asked = JSON.stringify({ seed: 1, ...options }).slice(1, -1);
  const claims = profile
    ? [
        `Object.defineProperty(engine, 'profile', { value: { ...engine.profile, ...${JSON.stringify(profile)} } });`,
      ]
    : [];
  return [`const engine = await W.init({ gpu, ${asked} });`, ...claims];
}

/** Closes an engine that may hang. */
export async function closeEngine(engine: Engine): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, 2000));
  await Promise.race([engine.close(), patience]).catch(() => {});
}
