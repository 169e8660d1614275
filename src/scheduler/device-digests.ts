import { currentDigests } from "./digests.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { type Unpacker, unpackerOf } from "./unpacker.ts";

/** Digests of all devices that give nodes access, as the fencing of a node carries them. */
export interface DeviceDigests {
  readonly all: string;
  readonly secure: string;
  /** A device is defined otherwise than when the node was unfenced: that has to be done again. */
  readonly changed: boolean;
}

/**
 * Digests of the parameters of the devices that provide unfencing, compared to those that the node remembers from
 * its last unfencing in attributes `#digests-all` and `#digests-secure` (Pacemaker Explained, "Unfencing").
 */
export function deviceDigests(cluster: Cluster, node: Node): DeviceDigests {
  const unpacker = unpackerOf(cluster);
  let all = "";
  let secure = "";
  let changed = false;
  for (const device of unfencingDevices(cluster)) {
    const entry = (digest: string) => `${device.id}:${device.type}:${digest}`;
    const digests = currentDigests(unpacker, device, "stonith-on", 0, node, undefined);
    const [ofAll, ofSecure] = [entry(digests.digestAll), entry(digests.digestSecure ?? "")];
    all += `${ofAll},`;
    secure += `${ofSecure},`;
    const knownAll = node.attributes.get("#digests-all");
    const knownSecure = node.attributes.get("#digests-secure");
    if (knownAll !== undefined && !knownAll.includes(ofAll) && knownSecure?.includes(ofSecure) !== true)
      changed = true;
  }
  return { all, secure, changed };
}

const cache = new WeakMap<Unpacker, readonly Resource[]>();

function unfencingDevices(cluster: Cluster): readonly Resource[] {
  const unpacker = unpackerOf(cluster);
  let found = cache.get(unpacker);
  if (!found) {
    const devices: Resource[] = [];
    const visit = (rsc: Resource) => {
      for (const part of rsc.children) visit(part);
      if (rsc.isPrimitive && rsc.isFenceDevice && rsc.meta.get("provides")?.toLowerCase() === "unfencing")
        devices.unshift(rsc);
    };
    for (const rsc of cluster.resources) visit(rsc);
    found = devices;
    cache.set(unpacker, found);
  }
  return found;
}
