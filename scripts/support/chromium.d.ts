export function chromiumLaunchOptions(): {
  executablePath?: string;
  channel?: string;
  args: string[];
  env?: Record<string, string | undefined>;
};
