/** Parts of the package that are loaded when they are first needed. */
import { LoadError } from './errors.ts';

/** What was imported. Rejects with LoadError where a file does not come; the next attempt may succeed. */
export async function loaded<T>(what: string, importing: Promise<T>): Promise<T> {
  try {
    return await importing;
  } catch (cause) {
    throw new LoadError(
      `${what} cannot be loaded: ${(cause as Error).message}. ` +
        'Fix: serve every file of the package, or of the bundle, and try again.',
      { cause },
    );
  }
}
