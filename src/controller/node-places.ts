import { type NodeName, withoutInstance } from "../terms/index.ts";
import type { TimedResources } from "./messages.ts";

/** What is noted of resources on one node. */
interface Noted {
  readonly values: Map<string, number>;
  /** How many instances of each resource. */
  readonly instances: Map<string, number>;
}

/**
 * Resources on nodes, each with a time or a number. A copy costs little, and so does each change of what holds many: what a
 * copy shares with its original is copied, for one node, when one of them is changed there.
 */
export class NodePlaces {
  readonly #nodes = new Map<NodeName, Noted>();
  /** Nodes of which nobody shares what is noted. */
  #own = new Set<NodeName>();

  constructor(listed: TimedResources = []) {
    for (const [node, list] of listed) for (const [rsc, value] of list) this.set(node, rsc, value);
  }

  copy(): NodePlaces {
    const copy = new NodePlaces();
    for (const [node, noted] of this.#nodes) copy.#nodes.set(node, noted);
    this.#own = new Set();
    return copy;
  }

  listed(): TimedResources {
    return [...this.#nodes].map(([node, { values }]) => [node, [...values]]);
  }

  /** The resources on a node. */
  on(node: NodeName): readonly (readonly [string, number])[] {
    return [...(this.#nodes.get(node)?.values ?? [])];
  }

  get(node: NodeName, rsc: string): number | undefined {
    return this.#nodes.get(node)?.values.get(rsc);
  }

  has(node: NodeName, rsc: string): boolean {
    return this.get(node, rsc) !== undefined;
  }

  /** Whether a resource, by whatever instance, is on any node. */
  hasAnywhere(rsc: string): boolean {
    return [...this.#nodes.values()].some(({ instances }) => instances.has(withoutInstance(rsc)));
  }

  set(node: NodeName, rsc: string, value: number): void {
    const { values, instances } = this.#ofItsOwn(node);
    const plain = withoutInstance(rsc);
    if (!values.has(rsc)) instances.set(plain, (instances.get(plain) ?? 0) + 1);
    values.set(rsc, value);
  }

  drop(node: NodeName, rsc: string): void {
    if (!this.has(node, rsc)) return;
    const { values, instances } = this.#ofItsOwn(node);
    const plain = withoutInstance(rsc);
    const rest = (instances.get(plain) ?? 0) - 1;
    values.delete(rsc);
    if (rest > 0) instances.set(plain, rest);
    else instances.delete(plain);
    if (values.size === 0) this.dropNode(node);
  }

  dropNode(node: NodeName): void {
    this.#nodes.delete(node);
    this.#own.delete(node);
  }

  /** Takes a resource, by whatever instance, from all nodes. */
  dropEverywhere(rsc: string): void {
    const plain = withoutInstance(rsc);
    for (const [node, { values, instances }] of [...this.#nodes])
      if (instances.has(plain))
        for (const id of [...values.keys()]) if (withoutInstance(id) === plain) this.drop(node, id);
  }

  #ofItsOwn(node: NodeName): Noted {
    const known = this.#nodes.get(node);
    if (known && this.#own.has(node)) return known;
    const own = { values: new Map(known?.values), instances: new Map(known?.instances) };
    this.#nodes.set(node, own);
    this.#own.add(node);
    return own;
  }
}
