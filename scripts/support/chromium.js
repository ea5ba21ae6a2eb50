/**
 * A headless Chromium for tests and demos: the system's if there is one, else the one inside the dev
 * dependency `@sparticuz/chromium`, unpacked once into the user's cache folder (Linux x64).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packedFolder, unpack } from './unpack.js';

/**
 * Launch options for playwright with WebGPU switched on: `chromium.launch(chromiumLaunchOptions())`.
 * `WEFT_CHROMIUM` names another executable.
 */
export function chromiumLaunchOptions() {
  // Without the flag the adapter is null wherever Chromium distrusts the driver, SwiftShader included.
  const args = ['--enable-unsafe-webgpu', '--no-sandbox'];
  const system = [process.env.WEFT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
  const executablePath = system.find((path) => path && existsSync(path));
  if (executablePath) return { executablePath, args };
  if (!packedFolder()) return { channel: 'chrome', args };

  // Chromium looks for its own SwiftShader beside its executable.
  const folder = unpack('chromium', ['chromium', 'swiftshader', 'al2023']);
  const libraries = [process.env.LD_LIBRARY_PATH, join(folder, 'lib')].filter(Boolean).join(':');
  return {
    executablePath: join(folder, 'chromium'),
    args,
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  };
}
