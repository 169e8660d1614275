declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Totem node id, 1 … 2^32−1 (0 is reserved; corosync.conf(5) nodelist.node.nodeid). */
export type NodeId = Brand<number, "NodeId">;
/** A node's name (`uname`), as in `<node uname=…>`; also the name of a remote or guest node. */
export type NodeName = Brand<string, "NodeName">;
/** Id of a resource, with `:n` behind it for an instance of a clone. */
export type ResourceId = Brand<string, "ResourceId">;

/** Takes a number for a node id. The caller has checked its range. */
export const nodeId = (value: number): NodeId => value as NodeId;
/** Takes a text for a node name. */
export const nodeName = (value: string): NodeName => value as NodeName;
/** Takes a text for a resource id. */
export const resourceId = (value: string): ResourceId => value as ResourceId;

/** Nodes that a cluster may have: what messages about its membership can name. */
export const MAX_NODES = 1024;

/** The id of a resource without the number that tells instances of a clone apart (`db:1` is of `db`). */
export const withoutInstance = (id: string): string => id.replace(/:\d+$/, "");
