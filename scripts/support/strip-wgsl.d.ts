export function stripWgsl(text: string): string;
