export function packedFolder(): string | undefined;
export function unpack(name: string): string;
