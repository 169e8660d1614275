/** Transient node attributes: values of every node, private ones, dampening. */
export {
  type AttributeEffect,
  type AttributeSnapshot,
  AttributeTable,
  type AttributeUpdate,
} from "./table.ts";
