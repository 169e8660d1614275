import type { CibOperation, XmlElement } from "../../cib/index.ts";
import { applyToCib, type ReadCib, readCib } from "../cib-session.ts";
import { type FoundResource, resourceNamed } from "../resources.ts";
import { requireLive } from "../target.ts";
import { fulfilled, settled, type Wish } from "../waiting.ts";

/** Words that several resource commands take. */
export const resourceArgument = {
  resource: { type: "positional", description: "id of the resource" },
} as const;
export const waitArgument = {
  wait: { type: "boolean", alias: "w", description: "return when the cluster has nothing left to do" },
  timeout: {
    type: "string",
    default: "1800",
    valueHint: "seconds",
    description: "how long --wait waits",
  },
} as const;

/** The resource that was named, in the configuration as it is. */
export async function readResource(id: string): Promise<ReadCib & { readonly found: FoundResource }> {
  const read = await readCib();
  return { ...read, found: resourceNamed(read.configuration, id) };
}

/**
 * Applies a change to the configuration and waits, if that is wanted, until the cluster has carried it out.
 * @param wish what is so then, unless something has failed @throws HactlError UNSATISFIED
 */
export async function change(
  operations: readonly CibOperation[],
  what: string,
  wait?: number,
  wish?: Wish,
  others?: ReadonlySet<string>,
): Promise<void> {
  if (wait !== undefined) requireLive("waiting for the cluster");
  if (operations.length > 0) await applyToCib(operations, what);
  if (wait === undefined) return;
  await (wish === undefined ? settled(wait) : fulfilled(wait, wish, others));
}

/** Meta attributes that a `target-role` in the members would contradict. */
export const membersWith = (xml: XmlElement, has: (member: XmlElement) => boolean): XmlElement[] =>
  xml.children
    .filter(({ name }) => name === "primitive" || name === "group")
    .flatMap((member) => [...(has(member) ? [member] : []), ...membersWith(member, has)]);
