import { compareNodes } from "./availability.ts";
import type { Places } from "./methods.ts";
import type { Cluster, Node, NodeScore } from "./model.ts";

/** Primes next below the powers of two, from 2^3: a table of 2^n slots spreads its keys by the n-th of them. */
const primes = [7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749];
const smallest = 3;

/** Sum of the characters, each step weighted by 31, in 32 bits. */
function hash(key: string): number {
  let sum = 0;
  for (const byte of Buffer.from(key)) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return sum;
}

type Slots<T> = ([hash: number, value: T] | undefined)[];

/** The first slot that is not taken of those that a hash leads to. */
function freeSlot(hash: number, bits: number, taken: (index: number) => boolean): number {
  let index = (Math.imul(hash, 11) >>> 0) % (primes[bits - smallest] ?? 1 << bits);
  for (let step = 1; taken(index); step++) index = (index + step) & ((1 << bits) - 1);
  return index;
}

/** Spreads the entries over more slots, where they are: whoever is in the way of one that moves is the next to move. */
function enlarge<T>(slots: Slots<T>, bits: number): void {
  const old = slots.length;
  const settled = new Set<number>();
  slots.length = 1 << bits;
  for (let index = 0; index < old; index++) {
    if (settled.has(index)) continue;
    let entry = slots[index];
    slots[index] = undefined;
    while (entry) {
      const target = freeSlot(entry[0], bits, (at) => settled.has(at));
      const evicted: Slots<T>[number] = slots[target];
      slots[target] = entry;
      settled.add(target);
      entry = evicted;
    }
  }
}

/**
 * The nodes of a list in the order of Pacemaker's tables of nodes, by their ids. Where a choice among nodes is not
 * decided by anything that the manual tells (equal free capacity, capacities that beat each other in a circle), it
 * takes that order; observed with crm_simulate, whose tables are open hash tables as GLib documents them.
 */
export function tableOrder(places: Places): NodeScore[] {
  let bits = smallest;
  const slots: Slots<NodeScore> = new Array(1 << bits).fill(undefined);
  let count = 0;
  for (const place of places.values()) {
    const key = hash(place.node.id);
    slots[freeSlot(key, bits, (index) => slots[index] !== undefined)] = [key, place];
    count++;
    if (slots.length > count + (count >> 4)) continue;
    bits = Math.max(smallest, 32 - Math.clz32(Math.trunc(count * 1.333)));
    enlarge(slots, bits);
  }
  return slots.flatMap((entry) => (entry ? [entry[1]] : []));
}

/** Copy of a node list, so that it can be changed and thrown away. It is filled in the order of the table. */
export function copyPlaces({ options }: Cluster, places: Places): Places {
  const ordered = options.placementStrategy === "balanced" ? tableOrder(places) : [...places.values()];
  return new Map(ordered.map((entry) => [entry.node, { ...entry }]));
}

/** Nodes in the order in which they are chosen; `active` is preferred among equals. */
export function bestFirst(cluster: Cluster, places: Places, active: Node | undefined): NodeScore[] {
  const compare = (a: NodeScore, b: NodeScore) => compareNodes(cluster, a, b, active);
  if (cluster.options.placementStrategy !== "balanced") return [...places.values()].sort(compare);
  return mergeSort(tableOrder(places).reverse(), compare);
}

/**
 * Sorts by halves; equal elements keep their order. Which way it is done shows when an order is not transitive, as
 * that of free capacities: the first is then not better than all others.
 */
export function mergeSort<T>(list: readonly T[], compare: (a: T, b: T) => number): T[] {
  if (list.length < 2) return [...list];
  const middle = list.length >> 1;
  const left = mergeSort(list.slice(0, middle), compare);
  const right = mergeSort(list.slice(middle), compare);
  const merged: T[] = [];
  for (let l = 0, r = 0; ; ) {
    const a = left[l];
    const b = right[r];
    if (a === undefined) return [...merged, ...right.slice(r)];
    if (b === undefined) return [...merged, ...left.slice(l)];
    if (compare(a, b) <= 0) {
      merged.push(a);
      l++;
    } else {
      merged.push(b);
      r++;
    }
  }
}
