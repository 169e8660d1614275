import { commandManual } from "../src/cli/manual.ts";
import { version } from "../src/cli/version.ts";
import { configManual } from "../src/config/index.ts";

// manual.ts DIRECTORY: writes the manual pages below it.
const directory = process.argv[2] ?? "dist/man";
await Bun.write(`${directory}/man8/hactl.8`, await commandManual(version));
await Bun.write(`${directory}/man5/hactl.toml.5`, configManual(version));
