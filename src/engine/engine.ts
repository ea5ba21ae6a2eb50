/** An engine: one GPU device with its memory, its compiled kernels and its recordings. */
import { ConfigError, LimitError } from '../base/errors.ts';
import { loaded } from '../base/loaded.ts';
import { knownOptions } from '../base/options.ts';
import { align } from './align.ts';
import { type BufferRange, Heap, Staging, StepArena } from './arena.ts';
import { Buffers } from './buffers.ts';
import { BufferUsage, type DeviceOptions, MapMode, type OpenDevice, openDevice } from './gpu.ts';
import { Health } from './health.ts';
import { Pipelines } from './pipeline.ts';
import { adapterAndDriver, type Profile } from './profile.ts';
import { type Command, checkCommand, packUniforms, Recording } from './recorder.ts';
import type { StepTimes } from './step-timing.ts';
import type { CommandTime } from './timing.ts';
import { Tuner } from './tuner.ts';
import type { Chooses, TuningOption } from './tuning.ts';

/** Hears of long waits: `done` of `total` kernels are compiled or measured. */
export type CompileListener = (done: number, total: number, doing: 'compiling' | 'measuring') => void;

export interface InitOptions extends DeviceOptions {
  /** Seed of everything random, a whole number from 0 to 2³² − 1; default: a random one. */
  seed?: number;
  /** Most bytes of GPU memory to use; default: what the device has. Training data that would take half of it are streamed. */
  maxBytes?: number;
  /**
   * How long one submit of training may keep the GPU busy, milliseconds: short where a page must stay smooth, long
   * where only speed counts. Default: 8 in a visible page and in a worker, else 40.
   */
  submitMs?: number;
  /**
   * How each kernel's variant is chosen. `'off'` (default): by a rule from shapes and profile. `'cached'`: as it
   * was measured on this adapter before, never measuring. `'full'`: what is not known yet is measured when a
   * step is compiled, and kept for the next program. Or a record: what `engine.tuning.toJSON()` gave, for the
   * same variants and the same bits, or values by kernel family.
   */
  tuning?: TuningOption;
  /** Most milliseconds that `tuning: 'full'` measures per compiled step; default 4000. One compilation may overrun it. */
  tuningBudgetMs?: number;
  /**
   * Hears, while a step is made ready (at the first `fit`, `evaluate`, `predict` or captured call), how many kernels
   * are measured for `tuning: 'full'`, then how many are compiled where the driver takes long for it.
   */
  onCompile?: CompileListener;
  /** Slow modes that find mistakes; results must not depend on them. */
  debug?: {
    /** Freed memory is filled with NaN. */
    poison?: boolean;
    /** Intermediate values never share memory. */
    noReuse?: boolean;
    /** Captured functions are traced anew at every call. */
    noReplay?: boolean;
  };
}

/** Running totals since the engine was made, except `bytes`: GPU memory held now, pools included. */
export interface EngineStats {
  readonly dispatches: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly buffers: number;
  readonly bytes: number;
  readonly pipelines: number;
  readonly reads: number;
  readonly writes: number;
}

export interface EngineMemory {
  /** Persistent ranges in use: parameters, slots, data, kept results. */
  readonly tensors: number;
  /** Their bytes. */
  readonly liveBytes: number;
  /** All GPU memory held: blocks, step arena, uniforms, staging. */
  readonly allocatedBytes: number;
  /** The most that was ever held. */
  readonly peakBytes: number;
  /** Buffers from which persistent ranges are cut. */
  readonly blocks: number;
}

export interface Copy {
  readonly from: BufferRange;
  readonly to: BufferRange;
}

/** Bits of a quiet NaN, also an absurd integer: freed memory in `debug.poison`. */
const POISON = 0x7fc0dead;
/** WebGPU cannot copy within one buffer; such copies go through a scratch buffer of at most this size. */
const SCRATCH_BYTES = 1 << 20;

/** What knows better than the rules of the kernel families. */
const measuring = () => loaded('engine: what measures', import('./measuring.ts'));

export class Engine {
  readonly device: GPUDevice;
  readonly profile: Profile;
  readonly seed: number;
  readonly options: Readonly<InitOptions>;
  /** Which variant each kernel runs in, and why. */
  readonly tuning: Tuner;
  readonly #health: Health;
  readonly #buffers: Buffers;
  readonly #heap: Heap;
  readonly #tables: Heap;
  readonly #arena: StepArena;
  readonly #staging: Staging;
  readonly #pipelines: Pipelines;
  readonly #counts = { dispatches: 0, submits: 0, bindGroups: 0, reads: 0, writes: 0 };
  readonly #reads = new Set<Promise<unknown>>();
  readonly #warm = new WeakSet<GPUComputePipeline>();
  #scratch: GPUBuffer | undefined;
  #closed = false;

  /**
   * Opens a device and makes an engine of it. Several may live side by side, each with a device of its own.
   *
   * Throws UnsupportedError (no WebGPU, no adapter) or ConfigError (an option out of range).
   */
  static async create(options: InitOptions = {}): Promise<Engine> {
    checkOptions(options);
    const { tuning = 'off' } = options;
    const { checkTuning, openChooser } = tuning === 'off' ? {} : await measuring();
    checkTuning?.(tuning);
    return new Engine(await openDevice(options), options, openChooser);
  }

  private constructor(
    { device, profile, onWait }: OpenDevice,
    options: InitOptions,
    openChooser?: (engine: Engine, adapter: string, options: InitOptions) => Chooses,
  ) {
    this.device = device;
    this.profile = profile;
    this.options = options;
    this.seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
    this.#health = new Health(device, onWait);
    this.#buffers = new Buffers(
      device,
      { maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY, maxBufferSize: profile.limits.maxBufferSize },
      (error) => this.#health.report(error),
    );
    this.#heap = new Heap(this.#buffers, profile.limits.maxStorageBufferBindingSize);
    this.#tables = new Heap(this.#buffers, profile.limits.maxStorageBufferBindingSize);
    this.#arena = new StepArena(this.#buffers);
    this.#staging = new Staging(this.#buffers);
    this.#pipelines = new Pipelines(device);
    const adapter = adapterAndDriver(profile);
    this.tuning = new Tuner(adapter, options.tuning, openChooser?.(this, adapter, options));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why the engine cannot be used any more (DeviceLostError, or DisposedError after close), or null. */
  get lost() {
    return this.#health.lost;
  }

  /** Throws when `operation` must not run: device lost, engine closed, or an error of the device is untold. */
  check(operation: string): void {
    this.#health.check(operation);
  }

  stats(): EngineStats {
    return {
      ...this.#counts,
      buffers: this.#buffers.created,
      bytes: this.#buffers.bytes,
      pipelines: this.#pipelines.created,
    };
  }

  memory(): EngineMemory {
    return {
      tensors: this.#heap.liveRanges,
      liveBytes: this.#heap.liveBytes,
      allocatedBytes: this.#buffers.bytes,
      peakBytes: this.#buffers.peakBytes,
      blocks: this.#heap.blocks,
    };
  }

  // ---- memory

  /** A range of persistent lifetime. Throws LimitError or OutOfMemoryError, and then changes nothing. */
  allocate(sizeBytes: number, label: string): BufferRange {
    this.check('allocate');
    return this.#heap.allocate(sizeBytes, label);
  }

  /**
   * A range for numbers that the planner gives a kernel beside its operands. It never shares a buffer with
   * values, so it can be bound next to a window over a whole block of them.
   */
  allocateTable(sizeBytes: number, label: string): BufferRange {
    this.check('allocate');
    return this.#tables.allocate(sizeBytes, label);
  }

  /** Gives a range back; a second time does nothing. */
  free(range: BufferRange): void {
    if (this.lost || this.#tables.free(range)) return;
    if (this.options.debug?.poison && this.#heap.isLive(range)) {
      this.#poison(range.buffer, range.offset, align(Math.max(range.size, 1)));
    }
    this.#heap.free(range);
  }

  /** The buffer that all recordings share for their intermediate values, at least this large. */
  stepArena(sizeBytes: number): GPUBuffer {
    this.check('stepArena');
    if (sizeBytes > this.profile.limits.maxBufferSize) {
      throw new LimitError(
        `stepArena: a step needs ${sizeBytes} bytes of intermediate values, but a buffer of this device holds ` +
          `at most ${this.profile.limits.maxBufferSize}. Fix: smaller batches.`,
      );
    }
    return this.#arena.reserve(sizeBytes);
  }

  /** Uploads `data` into a range, in order with submitted work. Bytes up to the next multiple of 4 become 0. */
  write(range: BufferRange, data: ArrayBufferView, offsetBytes = 0): void {
    this.check('write');
    const { byteLength } = data;
    if (offsetBytes % 4 !== 0 || offsetBytes + byteLength > range.size) {
      throw new LimitError(
        `write: ${byteLength} bytes at ${offsetBytes} do not fit a range of ${range.size} bytes (offsets are multiples of 4).`,
      );
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, byteLength);
    const whole = byteLength - (byteLength % 4);
    const at = range.offset + offsetBytes;
    if (whole > 0) this.device.queue.writeBuffer(range.buffer, at, bytes as BufferSource, 0, whole);
    if (whole < byteLength) {
      const tail = new Uint8Array(4);
      tail.set(bytes.subarray(whole));
      this.device.queue.writeBuffer(range.buffer, at + whole, tail);
    }
    this.#counts.writes++;
  }

  /** Copies one range to another of the same size. */
  copy(from: BufferRange, to: BufferRange): void {
    this.check('copy');
    const encoder = this.device.createCommandEncoder({ label: 'copy' });
    this.#encodeCopy(encoder, from, to);
    this.#submit(encoder);
  }

  /**
   * The bytes of a range as they are after all work submitted so far; later writes and frees do not matter.
   * Rejects with DeviceLostError, or with an error that the device reported meanwhile.
   */
  read(range: BufferRange): Promise<ArrayBuffer> {
    return this.readAll([range]);
  }

  /**
   * As `read`, several ranges of whole words one after the other. `clear`: they are zeros for all work submitted
   * afterwards.
   */
  readAll(ranges: readonly BufferRange[], { clear = false } = {}): Promise<ArrayBuffer> {
    const reading = this.#readBack(ranges, clear);
    this.#reads.add(reading);
    const forget = () => this.#reads.delete(reading);
    reading.then(forget, forget);
    return reading;
  }

  // ---- running

  /**
   * Compiles the kernels of all commands, in parallel, and makes ready what replaying needs. Throws
   * ConfigError or LimitError before any GPU work, KernelError (with a listing) when a kernel does not compile.
   */
  async record(commands: readonly Command[], label: string): Promise<Recording> {
    this.check('record');
    const wanted = commands.filter(({ workgroups }) => !workgroups.includes(0));
    for (const command of wanted) checkCommand(command, this.profile);
    const { bytes, ranges } = packUniforms(wanted, this.profile.limits.minUniformBufferOffsetAlignment);

    const pipelines = await this.#health.untilLost(
      Promise.all(
        wanted.map((command) => this.#pipelines.get(command.shader, command.constants, command.label)),
      ),
      'record',
    );
    const steps = wanted.map((command, index) => {
      return { command, pipeline: pipelines[index], uniformRanges: ranges[index], group: undefined };
    });
    let uniforms: GPUBuffer | undefined;
    if (bytes.byteLength > 0) {
      const usage = BufferUsage.uniform | BufferUsage.copyTarget;
      uniforms = this.#buffers.create(bytes.byteLength, usage, `${label}.uniforms`);
      this.device.queue.writeBuffer(uniforms, 0, bytes);
      this.#counts.writes++;
    }
    return new Recording(label, steps, uniforms, {
      device: this.device,
      arena: this.#arena,
      countBindGroups: (made) => {
        this.#counts.bindGroups += made;
      },
      destroyBuffer: (buffer) => this.#buffers.destroy(buffer),
    });
  }

  /** Runs a recording `times` times in one pass, then the copies, all in one submit. Does not wait. */
  run(
    recording: Recording,
    { times = 1, copies = [] }: { times?: number; copies?: readonly Copy[] } = {},
  ): void {
    this.check('run');
    recording.bind();
    if (recording.steps.length === 0 && copies.length === 0) return;
    if (this.options.debug?.poison && this.#arena.buffer) {
      this.#poison(this.#arena.buffer, 0, this.#arena.size);
    }
    const encoder = this.device.createCommandEncoder({ label: recording.label });
    const pass = encoder.beginComputePass({ label: recording.label });
    for (let i = 0; i < times; i++) recording.encode(pass);
    pass.end();
    for (const { from, to } of copies) this.#encodeCopy(encoder, from, to);
    this.#submit(encoder);
    this.#counts.dispatches += times * recording.steps.length;
  }

  /**
   * Makes drivers that compile at the first dispatch (llvmpipe: seconds for a large kernel) do it now: one
   * dispatch of no workgroups per new pipeline, waited for one by one so that timers stay alive.
   * `progress` hears how many of them are done.
   */
  async warm(recording: Recording, progress?: (done: number, total: number) => void): Promise<void> {
    if (this.profile.backendName !== 'llvmpipe') return;
    recording.bind();
    const cold = recording.steps.filter(({ pipeline }) => !this.#warm.has(pipeline));
    if (cold.length === 0) return;
    // Dawn warns about a plain dispatch of 0 workgroups, not about an indirect one.
    const nothing = this.#buffers.create(16, BufferUsage.indirect, 'no workgroups');
    for (const [done, { pipeline, group }] of cold.entries()) {
      progress?.(done, cold.length);
      if (this.#warm.has(pipeline)) continue;
      this.#warm.add(pipeline);
      const encoder = this.device.createCommandEncoder({ label: 'warm' });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroupsIndirect(nothing, 0);
      pass.end();
      this.#submit(encoder);
      await this.idle();
    }
    this.#buffers.destroy(nothing);
    progress?.(cold.length, cold.length);
  }

  /**
   * Runs the commands of a recording one by one, each `repeats` times, and measures one run of each. Slow: for
   * profiles, not for training.
   */
  async profileRun(recording: Recording, repeats = 1): Promise<CommandTime[]> {
    this.check('profileRun');
    const { timeCommands } = await measuring();
    recording.bind();
    this.#counts.dispatches += repeats * recording.steps.length;
    return timeCommands(this.device, recording.steps, repeats, (promise) =>
      this.#health.untilLost(promise, 'profileRun'),
    );
  }

  /**
   * Runs a recording for a while and measures it, kernel by kernel and as a whole. `updated`: what it overwrites;
   * afterwards it is as it was before.
   */
  async timeStep(recording: Recording, updated: readonly BufferRange[]): Promise<StepTimes> {
    const { timeStep } = await measuring();
    return timeStep(this, recording, updated);
  }

  /** Resolves when all work submitted so far is done; rejects when the device is lost or reported an error. */
  async idle(): Promise<void> {
    this.check('idle');
    await this.#health.untilLost(this.device.queue.onSubmittedWorkDone(), 'idle');
  }

  /** Waits for pending reads, then frees everything. Any later call throws DisposedError; closing twice is fine. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#reads);
    this.#health.close(this.device);
    this.#buffers.destroyAll();
    this.device.destroy();
  }

  // ---- inside

  async #readBack(ranges: readonly BufferRange[], clear: boolean): Promise<ArrayBuffer> {
    this.check('read');
    const total = ranges.reduce((sum, range) => sum + range.size, 0);
    if (total === 0) return new ArrayBuffer(0);
    const size = ranges.reduce((sum, range) => sum + align(range.size, 4), 0);
    const staging = this.#staging.take(size);
    const encoder = this.device.createCommandEncoder({ label: 'read' });
    let end = 0;
    for (const range of ranges) {
      const length = align(range.size, 4);
      encoder.copyBufferToBuffer(this.#arena.current(range), range.offset, staging, end, length);
      if (clear) encoder.clearBuffer(this.#arena.current(range), range.offset, length);
      end += length;
    }
    this.#submit(encoder);
    this.#counts.reads++;
    const bytes = staging.mapAsync(MapMode.read, 0, size).then(() => {
      const copy = staging.getMappedRange(0, size).slice(0, total);
      staging.unmap();
      return copy;
    });
    // A buffer whose mapping failed is of no more use; the device is lost then.
    bytes.then(
      () => this.#staging.give(staging),
      () => this.#buffers.destroy(staging),
    );
    return this.#health.untilLost(bytes, 'read');
  }

  #submit(encoder: GPUCommandEncoder): void {
    this.device.queue.submit([encoder.finish()]);
    this.#counts.submits++;
  }

  #encodeCopy(encoder: GPUCommandEncoder, from: BufferRange, to: BufferRange): void {
    if (from.size !== to.size) {
      throw new LimitError(`copy: the ranges differ in size: ${from.size} and ${to.size} bytes.`);
    }
    const size = align(from.size, 4);
    const source = this.#arena.current(from);
    const target = this.#arena.current(to);
    if (source !== target) {
      if (size > 0) encoder.copyBufferToBuffer(source, from.offset, target, to.offset, size);
      return;
    }
    const usage = BufferUsage.copySource | BufferUsage.copyTarget;
    this.#scratch ??= this.#buffers.create(SCRATCH_BYTES, usage, 'copy scratch');
    for (let done = 0; done < size; done += SCRATCH_BYTES) {
      const part = Math.min(SCRATCH_BYTES, size - done);
      encoder.copyBufferToBuffer(source, from.offset + done, this.#scratch, 0, part);
      encoder.copyBufferToBuffer(this.#scratch, 0, target, to.offset + done, part);
    }
  }

  #poison(buffer: GPUBuffer, offset: number, size: number): void {
    this.device.queue.writeBuffer(buffer, offset, new Uint32Array(size / 4).fill(POISON));
  }
}

/** The options that are numbers: what each must be, and how to say so. */
const numbers = {
  seed: [(x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32, 'a whole number from 0 to 4294967295 was'],
  maxBytes: [(x) => x > 0, 'a positive number of bytes was'],
  submitMs: [(x) => x > 0, 'a positive number of milliseconds was'],
  tuningBudgetMs: [(x) => x >= 0, 'milliseconds from 0 were'],
} satisfies Partial<Record<keyof InitOptions, [(x: number) => boolean, string]>>;

const known: (keyof InitOptions)[] = [
  'gpu',
  'adapter',
  'powerPreference',
  'limits',
  'features',
  'onCompile',
  ...(Object.keys(numbers) as (keyof typeof numbers)[]),
  'debug',
  'tuning',
];

function checkOptions(options: InitOptions): void {
  for (const [name, [fits, expected]] of Object.entries(numbers)) {
    const value = options[name as keyof typeof numbers];
    if (value !== undefined && !fits(value))
      throw new ConfigError(`init: ${name} is ${value}; ${expected} expected.`);
  }
  knownOptions<InitOptions>('init', options, known);
  knownOptions<NonNullable<InitOptions['debug']>>('init: debug', options.debug, [
    'poison',
    'noReuse',
    'noReplay',
  ]);
}
