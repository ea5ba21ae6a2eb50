/**
 * The few places where Node and a page differ.
 *
 * Node's built-ins come through `process.getBuiltinModule` (Node ≥ 20.16), so that one ES module
 * serves both and no bundler for a page ever meets a `node:` import.
 */

/** The part of Node's `process` that we use, absent in a page. */
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  readonly env: Record<string, string | undefined>;
  readonly platform: string;
  readonly stdout?: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): boolean };
  getBuiltinModule?(name: string): unknown;
  once?(event: 'exit', listener: () => void): unknown;
}

export const nodeProcess = (globalThis as { process?: NodeProcess }).process;

export const isNode = nodeProcess?.versions?.node !== undefined;

/** A Node built-in module by name (`'node:fs/promises'`), or undefined in a page. */
export function builtin<T>(name: string): T | undefined {
  return nodeProcess?.getBuiltinModule?.(name) as T | undefined;
}

/** An environment variable, or undefined in a page. */
export function environment(name: string): string | undefined {
  return isNode ? nodeProcess?.env[name] : undefined;
}
