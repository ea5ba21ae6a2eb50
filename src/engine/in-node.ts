/**
 * What an engine needs in Node and in no page: WebGPU itself, which is Dawn (the package `webgpu`), an orderly end, and
 * naps while it waits.
 */
import { UnsupportedError } from '../base/errors.ts';
import { nodeProcess } from '../base/platform.ts';

export { napUntil } from './nap.ts';

/** Dawn aborts the process when its instance is collected while a device lives, so it is kept for ever. */
let dawn: Promise<GPU> | undefined;
let provider: (() => Promise<GPU>) | undefined;

/** Sets what engines without a `gpu` option run on, in place of the platform's own (for tests). */
export function provideGpu(find: (() => Promise<GPU>) | undefined): void {
  provider = find;
}

/** The platform's own WebGPU: Node's, should it ever have one, or Dawn. */
export async function findGpu(): Promise<GPU> {
  if (provider) return provider();
  const native = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (native) return native;
  dawn ??= importDawn();
  dawn.catch(() => {
    dawn = undefined;
  });
  return dawn;
}

async function importDawn(): Promise<GPU> {
  // Not a literal, so that no bundler for a page looks for the package.
  const name = ['web', 'gpu'].join('');
  let create: (flags: string[]) => GPU;
  try {
    ({ create } = await import(/* @vite-ignore */ name));
  } catch (cause) {
    throw new UnsupportedError(
      "init: Node has no WebGPU of its own and the package 'webgpu' did not load. Fix: npm install webgpu " +
        '(on Linux it needs glibc 2.34 or newer).',
      { cause },
    );
  }
  try {
    return create([]);
  } catch (cause) {
    throw new UnsupportedError(`init: Dawn did not start: ${(cause as Error).message}`, { cause });
  }
}

/** Devices to destroy when the process ends, once somebody listens for that. */
let open: Set<GPUDevice> | undefined;

/**
 * A process that ends while a software driver's threads still compute dies of a segmentation fault in
 * their cleaned-up memory (SwiftShader 5.0 under Dawn 0.6.2, one exit in five); destroying the device
 * waits for them.
 */
export function destroyAtExit(device: GPUDevice): void {
  if (!open) {
    open = new Set();
    nodeProcess?.once?.('exit', () => {
      for (const device of open!) device.destroy();
    });
  }
  open.add(device);
  device.lost.then(() => open!.delete(device));
}
