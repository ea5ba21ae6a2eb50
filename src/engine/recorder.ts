/**
 * A recording: named commands with their pipelines compiled, their uniforms packed into one buffer and
 * their bind groups made, ready to be replayed any number of times without another allocation.
 */
import { ConfigError, DisposedError, LimitError } from '../base/errors.ts';
import { align } from './align.ts';
import type { BufferRange, StepArena } from './arena.ts';
import type { Constants } from './pipeline.ts';
import type { Profile } from './profile.ts';
import { packUniform, type Shader } from './shader.ts';

/** One dispatch. */
export interface Command {
  /** Op, then role: `matmul.backward.db`. Seen in errors, traces and profiles. */
  readonly label: string;
  readonly shader: Shader;
  /** What the shader's text was tuned with, for reports. */
  readonly tune?: Readonly<Record<string, number | string | boolean>>;
  /** Values of the shader's `override` declarations. */
  readonly constants?: Constants;
  /** A range for every storage variable, by its name in the shader. */
  readonly bindings: Readonly<Record<string, BufferRange>>;
  /** The fields of every uniform struct, by variable and field name. */
  readonly uniforms?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** With a 0 the command is skipped: it has nothing to compute. */
  readonly workgroups: readonly [number, number, number];
}

/** A command ready to run. */
export interface Step {
  readonly command: Command;
  readonly pipeline: GPUComputePipeline;
  /** Where its uniforms lie in the recording's uniform buffer. */
  readonly uniformRanges: Readonly<Record<string, { offset: number; size: number }>>;
  group: GPUBindGroup | undefined;
}

/** What a recording needs of its engine. */
export interface RecordingHost {
  readonly device: GPUDevice;
  readonly arena: StepArena;
  countBindGroups(made: number): void;
  destroyBuffer(buffer: GPUBuffer): void;
}

export class Recording {
  readonly label: string;
  readonly steps: readonly Step[];
  readonly #host: RecordingHost;
  readonly #uniforms: GPUBuffer | undefined;
  #generation = -1;
  #disposed = false;

  constructor(label: string, steps: readonly Step[], uniforms: GPUBuffer | undefined, host: RecordingHost) {
    this.label = label;
    this.steps = steps;
    this.#uniforms = uniforms;
    this.#host = host;
  }

  /** Makes the bind groups, unless they are there and the step arena is where it was. */
  bind(): void {
    if (this.#disposed) throw new DisposedError(`run: the recording '${this.label}' was disposed of.`);
    if (this.#generation === this.#host.arena.generation) return;
    for (const step of this.steps) step.group = this.#bindGroup(step);
    this.#host.countBindGroups(this.steps.length);
    this.#generation = this.#host.arena.generation;
  }

  /** A range among the bindings has changed: the next run makes bind groups for it. */
  bindAnew(): void {
    this.#generation = -1;
  }

  /** Writes the commands into a pass, once. */
  encode(pass: GPUComputePassEncoder): void {
    let last: GPUComputePipeline | undefined;
    for (const { pipeline, group, command } of this.steps) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      // Each argument costs the way to native code; what is left out is 1.
      const [x, y, z] = command.workgroups;
      if (z > 1) pass.dispatchWorkgroups(x, y, z);
      else if (y > 1) pass.dispatchWorkgroups(x, y);
      else pass.dispatchWorkgroups(x);
    }
  }

  /** Frees its buffer; what was submitted still finishes. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#uniforms) this.#host.destroyBuffer(this.#uniforms);
    for (const step of this.steps) step.group = undefined;
  }

  #bindGroup({ command, pipeline, uniformRanges }: Step): GPUBindGroup {
    const entries = command.shader.bindings.map(({ name, binding }) => {
      if (name in uniformRanges)
        return { binding, resource: { buffer: this.#uniforms!, ...uniformRanges[name] } };
      const range = command.bindings[name];
      // WebGPU refuses empty bindings and sizes that cut an element; ranges are padded to 256 anyway.
      const size = align(Math.max(range.size, 1), 16);
      return { binding, resource: { buffer: this.#host.arena.current(range), offset: range.offset, size } };
    });
    return this.#host.device.createBindGroup({
      label: command.label,
      layout: pipeline.getBindGroupLayout(0),
      entries,
    });
  }
}

/** Packs the uniforms of all commands, each at an offset that the device can bind. */
export function packUniforms(commands: readonly Command[], alignment: number) {
  let sizeBytes = 0;
  const ranges = commands.map(({ shader }) => {
    const entries = Object.entries(shader.uniforms).map(([name, layout]) => {
      const offset = sizeBytes;
      const size = align(layout.sizeBytes, 16);
      sizeBytes += align(size, alignment);
      return [name, { offset, size }] as const;
    });
    return Object.fromEntries(entries);
  });
  const bytes = new ArrayBuffer(sizeBytes);
  commands.forEach(({ shader, uniforms = {}, label }, index) => {
    for (const [name, layout] of Object.entries(shader.uniforms)) {
      const { offset, size } = ranges[index][name];
      packUniform(layout, uniforms[name] ?? {}, new DataView(bytes, offset, size), label);
    }
  });
  return { bytes, ranges };
}

/** Throws, before any GPU work, when a command does not fit its shader or the device. */
export function checkCommand(command: Command, { limits }: Profile): void {
  const { label, shader, bindings, uniforms = {}, workgroups } = command;
  const storage = shader.bindings.filter(({ kind }) => kind === 'storage').map(({ name }) => name);
  sameNames(`record: '${label}': bindings`, Object.keys(bindings), storage);
  sameNames(`record: '${label}': uniforms`, Object.keys(uniforms), Object.keys(shader.uniforms));

  const limit = (what: string, value: number, most: number) => {
    if (value > most)
      throw new LimitError(`record: '${label}': ${what}: ${value}, but this device has at most ${most}.`);
  };
  limit('storage buffers', storage.length, limits.maxStorageBuffersPerShaderStage);
  limit('workgroups in one dimension', Math.max(...workgroups), limits.maxComputeWorkgroupsPerDimension);
  for (const [name, { size }] of Object.entries(bindings)) {
    limit(`bytes of '${name}'`, size, limits.maxStorageBufferBindingSize);
  }
}

function sameNames(what: string, given: string[], expected: string[]): void {
  const missing = expected.filter((name) => !given.includes(name));
  const unknown = given.filter((name) => !expected.includes(name));
  if (missing.length === 0 && unknown.length === 0) return;
  throw new ConfigError(
    `${what}: ${missing.length > 0 ? `'${missing.join("', '")}' missing` : `'${unknown.join("', '")}' unknown`}; ` +
      `the shader declares ${expected.map((name) => `'${name}'`).join(', ') || 'none'}.`,
  );
}
