/**
 * Files on disk that are whole or not there: written under another name, synced, and then put in place. What a killed
 * process left under such a name is taken away when the same file is written again.
 */
import { builtin } from './platform.ts';

/** Old enough that nobody is still writing it, whoever that was. */
const DAY_MS = 86_400_000;

/** Writes all or nothing: whoever opens `file` sees the old one or the whole new one, also when the process is killed. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const fs = builtin<typeof import('node:fs/promises')>('node:fs/promises')!;
  const path = builtin<typeof import('node:path')>('node:path')!;
  const folder = path.dirname(file);
  const name = path.basename(file);
  const stem = `.${name}.`;
  await sweepFor(folder, name);
  const unique = crypto.randomUUID().slice(0, 8);
  const temporary = path.join(folder, `${stem}${machine()}-${process.pid}-${unique}.tmp`);
  try {
    const handle = await fs.open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** The file as which a temporary one was meant, or null where its name is none of ours. */
export const meantAs = (name: string): string | null =>
  /^\.(.+)\.[0-9a-f]{8}-\d+-[0-9a-f]{8}\.tmp$/.exec(name)?.[1] ?? null;

/** Takes away what killed processes left of this file. */
export const sweepFor = (folder: string, name: string): Promise<void> =>
  sweep(folder, `.${name}.`).catch(() => {});

/** Takes away what was left under names that begin with `stem`, unless somebody may still be writing it. */
async function sweep(folder: string, stem: string): Promise<void> {
  const fs = builtin<typeof import('node:fs/promises')>('node:fs/promises')!;
  const path = builtin<typeof import('node:path')>('node:path')!;
  for (const name of await fs.readdir(folder)) {
    if (!name.startsWith(stem) || !name.endsWith('.tmp')) continue;
    const [, host, pid] = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/.exec(name.slice(stem.length)) ?? [];
    const isOurs = host !== undefined || /^[0-9a-f-]{36}\.tmp$/.test(name.slice(stem.length));
    if (!isOurs) continue;
    const file = path.join(folder, name);
    const isLeft =
      host === machine() ? !isRunning(Number(pid)) : Date.now() - (await fs.stat(file)).mtimeMs > DAY_MS;
    if (isLeft) await fs.rm(file, { force: true });
  }
}

/** Process numbers mean something on one machine, or in one container, alone. */
function machine(): string {
  const name = builtin<typeof import('node:os')>('node:os')!.hostname();
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function isRunning(pid: number): boolean {
  try {
    // Signal 0 asks whether there is such a process and does nothing to it.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}
