/** Stable error codes, one per subclass. */
export type ErrorCode =
  | 'SHAPE'
  | 'AXIS'
  | 'DTYPE'
  | 'VALUE'
  | 'CONFIG'
  | 'STATE'
  | 'GRADIENT'
  | 'DISPOSED'
  | 'ENGINE_MISMATCH'
  | 'UNSUPPORTED'
  | 'LIMIT'
  | 'OUT_OF_MEMORY'
  | 'KERNEL'
  | 'GPU'
  | 'DEVICE_LOST'
  | 'ABORT'
  | 'FORMAT'
  | 'LOAD'
  | 'SAVE'
  | 'DOWNLOAD';

/**
 * Every error that Weft throws on purpose. The message names the operation, what came, what was
 * expected and the fix; `code` is stable and meant for programs.
 *
 * ```ts
 * try { a.matmul(b) } catch (error) {
 *   if (error instanceof WeftError && error.code === 'SHAPE') console.log(error.message);
 * }
 * ```
 */
export class WeftError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/**
 * A subclass with its code filled in.
 * @__NO_SIDE_EFFECTS__
 */
function coded(code: ErrorCode) {
  return class extends WeftError {
    constructor(message: string, options?: ErrorOptions) {
      super(code, message, options);
    }
  };
}

/** Shapes that do not fit each other, or data that does not fit its shape. */
export class ShapeError extends coded('SHAPE') {}
/** An axis out of range, fractional or repeated. */
export class AxisError extends coded('AXIS') {}
/** An element type that an operation does not take. */
export class DTypeError extends coded('DTYPE') {}
/** An argument outside its allowed values. */
export class ValueError extends coded('VALUE') {}
/** An unknown name (activation, optimizer, loss, …) or a contradictory option. */
export class ConfigError extends coded('CONFIG') {}
/** A call at the wrong moment: fit before compile, a second fit while one runs, … */
export class StateError extends coded('STATE') {}
/** A derivative that does not exist or cannot be formed. */
export class GradientError extends coded('GRADIENT') {}
/** Use of a tensor, variable or engine after it was disposed of or closed. */
export class DisposedError extends coded('DISPOSED') {}
/** Tensors of two engines met in one operation. */
export class EngineMismatchError extends coded('ENGINE_MISMATCH') {}
/** No WebGPU here, or no adapter. */
export class UnsupportedError extends coded('UNSUPPORTED') {}
/** A size beyond what the device allows. */
export class LimitError extends coded('LIMIT') {}
/** The device (or `maxBytes`) has no room left. */
export class OutOfMemoryError extends coded('OUT_OF_MEMORY') {}
/** A shader or pipeline that the driver refused. */
export class KernelError extends coded('KERNEL') {}
/** A validation error that the device reported on its own. */
export class GpuError extends coded('GPU') {}
/** The device went away. */
export class DeviceLostError extends coded('DEVICE_LOST') {}
/** An AbortSignal fired. */
export class AbortError extends coded('ABORT') {}
/** A file that is not what it should be. */
export class FormatError extends coded('FORMAT') {}
/** A file that cannot be opened or read. */
export class LoadError extends coded('LOAD') {}
/** A file that cannot be written; the old one is as it was. */
export class SaveError extends coded('SAVE') {}
/** A download that failed or brought the wrong bytes. */
export class DownloadError extends coded('DOWNLOAD') {}
