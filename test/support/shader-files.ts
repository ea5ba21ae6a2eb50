/** The WGSL of the sources, as it lies on the disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = 'src/shaders';

const filesOf = (folder: string, isLibrary: boolean) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.wgsl'))
    .sort()
    .map((file) => ({
      name: basename(file, '.wgsl'),
      isLibrary,
      text: readFileSync(join(folder, file), 'utf8'),
    }));

/** Kernels by name, then what they share. */
export const shaderFiles = [...filesOf(root, false), ...filesOf(join(root, 'lib'), true)];
