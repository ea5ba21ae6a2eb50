/** What an HDF5 file holds, as plain maps. */
import type { Values } from './values.ts';

export type Attribute = string | readonly string[];

/** A file: paths without a leading slash, '' the root. */
export interface Hdf5 {
  /** Attributes of groups. A group is there when it has an entry, which may be empty. */
  readonly groups: Map<string, Readonly<Record<string, Attribute>>>;
  readonly arrays: Map<string, Values>;
}
