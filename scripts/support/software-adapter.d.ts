export interface FoundGpu {
  /** Hand it to `init({ gpu })`. */
  readonly gpu: GPU;
  /** One line that names the adapter and says if it is software. */
  readonly note: string;
  readonly software: boolean;
  /** What a child process needs in its environment to find the same adapter by itself. */
  readonly environment: Readonly<Record<string, string>>;
}
export function findGpu(options?: { dawn?: string[] }): Promise<FoundGpu>;
export function swiftShaderEnvironment(): Record<
  'LD_LIBRARY_PATH' | 'VK_DRIVER_FILES' | 'VK_ICD_FILENAMES',
  string
>;
