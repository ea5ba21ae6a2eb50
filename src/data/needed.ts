/** Packages that only some files need, loaded when the first of them is met. */
import { UnsupportedError } from '../base/errors.ts';

/** What `load` imports; UnsupportedError with the way out where the package cannot be found. */
export async function needed<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new UnsupportedError(
      `such files need the package ${name}, which cannot be loaded. Install it; in a page without a bundler, name it in an import map.`,
      { cause },
    );
  }
}
