/** Pipelines, compiled asynchronously and kept by text and constants. */
import { KernelError } from '../base/errors.ts';
import { ShaderStage } from './gpu.ts';
import type { Shader } from './shader.ts';

/** Values of a shader's `override` declarations. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** A kernel that compiles longer than this is told of: some compilers need minutes for a long one, or never end. */
const PATIENCE_MS = 5000;

/** Pipelines kept for their next use. Those that a recording holds live on without it. */
const KEPT = 512;

export class Pipelines {
  /** Pipelines compiled so far. */
  created = 0;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #modules = new Map<string, GPUShaderModule>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline of a shader. `label` names the kernel in errors, traces and profiles. */
  get(shader: Shader, constants: Constants = {}, label = 'kernel'): Promise<GPUComputePipeline> {
    const values = Object.entries(constants).map(([name, value]) => [name, Number(value)] as const);
    values.sort(([a], [b]) => (a < b ? -1 : 1));
    const key = `${JSON.stringify(values)}\n${shader.key}`;
    let pipeline = this.#pipelines.get(key);
    if (pipeline) this.#pipelines.delete(key);
    else {
      pipeline = this.#compile(shader, Object.fromEntries(values), label);
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    // Most recently used goes last.
    this.#pipelines.set(key, pipeline);
    forgetBeyond(this.#pipelines);
    return pipeline;
  }

  async #compile(
    shader: Shader,
    constants: Record<string, number>,
    label: string,
  ): Promise<GPUComputePipeline> {
    // A broken module would also raise an uncaptured error; the pipeline's rejection says enough.
    this.#device.pushErrorScope('validation');
    let module = this.#modules.get(shader.key);
    if (!module) {
      module = this.#device.createShaderModule({ label, code: shader.code });
      this.#modules.set(shader.key, module);
      forgetBeyond(this.#modules);
    }
    const compiled = this.#device.createComputePipelineAsync({
      label,
      layout: this.#layout(shader, label),
      compute: { module, constants },
    });
    const scope = this.#device.popErrorScope();
    const slow = setTimeout(
      () =>
        console.warn(
          `compile: the kernel '${label}' has been compiling for ${PATIENCE_MS / 1000} s; this adapter's compiler is slow. ` +
            'Fix: if it does not end, read some of its operands with data() first, which makes smaller kernels.',
        ),
      PATIENCE_MS,
    );
    const [pipeline, problem] = await Promise.allSettled([compiled, scope]);
    clearTimeout(slow);
    if (pipeline.status === 'rejected' || (problem.status === 'fulfilled' && problem.value)) {
      this.#modules.delete(shader.key);
      const cause =
        pipeline.status === 'rejected'
          ? pipeline.reason
          : (problem as PromiseFulfilledResult<GPUError>).value;
      throw await kernelError(module, shader, label, cause);
    }
    this.created++;
    return pipeline.value;
  }

  /**
   * Written out instead of 'auto', which leaves out bindings that `main` happens not to use and then
   * refuses bind groups that have them.
   */
  #layout(shader: Shader, label: string): GPUPipelineLayout {
    const entries = shader.bindings.map(({ binding, kind, access, name }) => {
      const type = kind === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage';
      const minBindingSize = shader.uniforms[name]?.sizeBytes ?? 0;
      return { binding, visibility: ShaderStage.compute, buffer: { type, minBindingSize } as const };
    });
    const group = this.#device.createBindGroupLayout({ label, entries });
    return this.#device.createPipelineLayout({ label, bindGroupLayouts: [group] });
  }
}

/** Drops the oldest entry of a map that has grown too long. */
function forgetBeyond(kept: Map<string, unknown>): void {
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}

/** The compiler's messages, each with the lines around it. */
async function kernelError(
  module: GPUShaderModule,
  shader: Shader,
  label: string,
  cause: Error | GPUError,
): Promise<KernelError> {
  const info = await module.getCompilationInfo().catch(() => null);
  const errors = info?.messages.filter(({ type }) => type === 'error') ?? [];
  const details = errors.map(({ lineNum, linePos, message }) =>
    [`line ${lineNum}:${linePos}: ${message}`, listing(shader.code, lineNum)].join('\n'),
  );
  const text = details.length > 0 ? details.join('\n\n') : `${cause.message}\n${listing(shader.code)}`;
  return new KernelError(`kernel '${label}' did not compile: ${text}`, { cause });
}

/** Numbered lines: all, or the few around one, which is marked. */
function listing(code: string, around?: number): string {
  return code
    .split('\n')
    .map((line, index) => `${index + 1 === around ? '>' : ' '}${String(index + 1).padStart(4)} | ${line}`)
    .slice(around ? Math.max(0, around - 4) : 0, around ? around + 3 : undefined)
    .join('\n');
}
