import { type CibOperation, element, formatXml, isPlainSet, pairsIn, type XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { idOf, isResource, resourcesOf } from "./resources.ts";

/** @throws HactlError RESTARTING when a restart of the resource has not ended yet, or never came to its end */
export function refuseRestarting(resource: XmlElement): void {
  const id = idOf(resource);
  if (!isStoppedByRestart(resource)) return;
  throw new HactlError({
    code: "RESTARTING",
    what: `${id} is being restarted already`,
    cure: `wait for its end: hactl wait; where nobody restarts it any more: hactl resource start ${id}`,
    exit: CrmExit.UNSATISFIED,
  });
}

/**
 * The value of a restart's own stop. A role is read whatever its case, and no other tool writes it like this: what has
 * another one is what somebody has asked for meanwhile.
 */
export const restartRole = "stopped";

/** Whether a target-role is that of what is stopped. */
export const isStopped = (value: string): boolean => value.toLowerCase() === restartRole;

/** Each restart names its stop by a token of its own: two never take each other's for theirs. */
const idOfRestart = /-restart-[0-9a-f]{8}$/;

const isOfRestart = ({ id, value }: { readonly id: string; readonly value: string }): boolean =>
  idOfRestart.test(id) && value === restartRole;

/** Whether it is a restart that has stopped a resource, by a role of its own. */
export const isStoppedByRestart = (resource: XmlElement): boolean => rolesOf(resource).some(isOfRestart);

const isRole = (name: string): boolean => name === "target-role" || name === "target_role";

const rolesOf = (resource: XmlElement) =>
  pairsIn(resource, "meta_attributes").filter(({ name }) => isRole(name));

/** What a restart writes, and takes back where it still stands as it was written. */
export class OwnStop {
  /** By the id of the own pair: the resource that has it, and what stood in its place. */
  readonly #written = new Map<string, { readonly rsc: string; readonly old: XmlElement | undefined }>();
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** Whether something may have been written. */
  get hasBegun(): boolean {
    return this.#written.size > 0;
  }

  /** Stops a resource, and the members that a role of their own would let run. */
  begin(resource: XmlElement, configuration: XmlElement): CibOperation[] {
    this.#written.clear();
    refuseRestarting(resource);
    const members = membersOf(resource).filter((member) =>
      rolesOf(member).some(({ value }) => !isStopped(value)),
    );
    const references = new Set(referencesIn(configuration));
    return [resource, ...members].flatMap((one) => this.#stop(one, references));
  }

  #stop(resource: XmlElement, references: ReadonlySet<string>): CibOperation[] {
    const rsc = idOf(resource);
    const sets = resource.children.filter(({ name }) => name === "meta_attributes");
    const rolesIn = ({ children }: XmlElement) =>
      children.filter(({ attributes }) => attributes.has("id") && isRole(attributes.get("name") ?? ""));
    const operations = sets.flatMap(rolesIn).map((old, index): CibOperation => {
      // What others refer to has to keep its name.
      const id = references.has(idOf(old)) ? idOf(old) : `${rsc}-${index + 1}-restart-${this.#token}`;
      this.#written.set(id, { rsc, old });
      return replaced(idOf(old), ownPair(id));
    });
    const plain = sets.filter(isPlainSet);
    if (plain.some((set) => rolesIn(set).length > 0)) return operations;
    const id = `${rsc}-restart-${this.#token}`;
    this.#written.set(id, { rsc, old: undefined });
    const [first] = plain;
    const set = { id: first ? idOf(first) : `${rsc}-meta_attributes` };
    const xml = element(resource.name, { id: rsc }, [element("meta_attributes", set, [ownPair(id)])]);
    return [...operations, { op: "modify", xml: formatXml(xml, -1), scope: "resources", create: true }];
  }

  /** Takes back what is there as it was written. The value: the roles that others have set meanwhile. */
  end(configuration: XmlElement): { readonly operations: CibOperation[]; readonly value: string[] } {
    const operations: CibOperation[] = [];
    const roles: string[] = [];
    const concerned = new Set([...this.#written.values()].map(({ rsc }) => rsc));
    const pairs = resourcesOf(configuration)
      .map(({ xml }) => xml)
      .filter((xml) => concerned.has(idOf(xml)))
      .flatMap((xml) => rolesOf(xml).map((pair) => ({ ...pair, rsc: idOf(xml) })));
    for (const { id, name, value, rsc } of pairs) {
      const own = this.#written.get(id);
      if (own === undefined || value !== restartRole) roles.push(value);
      if (own === undefined) continue;
      const { old } = own;
      if (value === restartRole)
        operations.push(old ? replaced(id, old) : { op: "delete", xpath: pairAt(id) });
      // Somebody else's value loses the name that tells of the restart.
      else if (idOfRestart.test(id)) {
        const plainId = old ? idOf(old) : `${rsc}-meta_attributes-target-role`;
        operations.push(replaced(id, element("nvpair", { id: plainId, name, value })));
      }
    }
    return { operations, value: roles };
  }
}

const pairAt = (id: string): string => `//nvpair[@id='${id}']`;

const replaced = (id: string, pair: XmlElement): CibOperation => ({
  op: "replace",
  xpath: pairAt(id),
  xml: formatXml(pair, -1),
});

const ownPair = (id: string): XmlElement =>
  element("nvpair", { id, name: "target-role", value: restartRole });

const membersOf = (resource: XmlElement): XmlElement[] =>
  resource.children.filter(isResource).flatMap((member) => [member, ...membersOf(member)]);

const referencesIn = (xml: XmlElement): string[] => [
  ...(xml.attributes.has("id-ref") ? [xml.attributes.get("id-ref") ?? ""] : []),
  ...xml.children.flatMap(referencesIn),
];
