import { bundleActions } from "./bundle-actions.ts";
import { cloneActions } from "./clone-actions.ts";
import { groupActions } from "./group-actions.ts";
import { registerActions } from "./methods.ts";
import { primitiveActions } from "./primitive-actions.ts";

registerActions("primitive", primitiveActions);
registerActions("group", groupActions);
registerActions("clone", cloneActions);
registerActions("bundle", bundleActions);
