import { tools } from "../src/cli/tools.ts";

// Names that the executable answers to: one link each.
console.log(Object.keys(tools).join("\n"));
