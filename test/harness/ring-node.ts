/** A ring process alone, without manager and executor: `ring-node.ts --config FILE --node NAME`. Ends by SIGTERM. */
import { parseDaemonArguments } from "../../src/daemon/modes.ts";
import { RingProcess } from "../../src/daemon/ring.ts";
import { loadNode, makeDirectories, nodeLog } from "../../src/daemon/setup.ts";

const setup = loadNode(parseDaemonArguments(process.argv));
makeDirectories(setup.config.system);
const log = nodeLog(setup.config, "hactl");
process.exitCode = await new RingProcess(setup, log, []).run();
await log.close();
