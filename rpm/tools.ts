import { daemons, tools } from "../src/cli/tools.ts";

// Names that the executable answers to, one link each: tools.ts for those in sbin, tools.ts daemons for those of
// Pacemaker's daemons, which have a directory of their own.
console.log(Object.keys(process.argv[2] === "daemons" ? daemons : tools).join("\n"));
