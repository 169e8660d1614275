import { read } from "../terms/index.ts";
import type { AttributeSnapshot, AttributeUpdate } from "./table.ts";

/** Most characters of a value. Agents keep scores, positions and addresses in attributes, no files. */
const longestValue = 64 * 1024;
const value = read.xmlText(longestValue);
const set = read.oneOf("attributes", "utilization");
const values = read.list(read.pair(read.nodeName, value));

/** Reads a change of an attribute from outside. */
export const readAttributeUpdate = read.shape<AttributeUpdate>({
  node: read.nodeName,
  name: read.name,
  value: read.orAbsent(value),
  dampenMs: read.maybe(read.duration),
  dampenIfNew: read.maybe(read.flag),
  delayOnly: read.maybe(read.flag),
  private: read.maybe(read.flag),
  held: read.maybe(read.flag),
  set: read.maybe(set),
});

/** Reads a copy of another node's table. */
export const readAttributeSnapshot = read.list(
  read.shape<AttributeSnapshot[number]>({
    name: read.name,
    dampenMs: read.duration,
    private: read.flag,
    set,
    values,
    written: values,
    held: read.maybe(read.list(read.nodeName)),
  }),
);
