/** Transient node attributes: values of every node, private ones, dampening. */
export { readAttributeSnapshot, readAttributeUpdate } from "./reading.ts";
export {
  type AttributeEffect,
  type AttributeSnapshot,
  AttributeTable,
  type AttributeUpdate,
} from "./table.ts";
