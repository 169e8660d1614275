/*
 * A cluster of three daemons whose disks lose their power at once, right after a command has said that something is done. `cluster.ts [--runs N]
 * [--restarts N] [--seed S]`, as root. Every time the disk of the node that answered has what it said; `restarts` times, evenly spread, all
 * processes are killed and the cluster starts again from what its disks hold.
 */
import { join } from "node:path";
import { attribute, elementsByName, parseXml } from "../../src/cib/index.ts";
import { CibStore } from "../../src/daemon/cib-store.ts";
import { openLog } from "../../src/platform/index.ts";
import { LocalCluster } from "../harness/local-cluster.ts";
import { option } from "../harness/mutate.ts";
import { Random } from "../sim/random.ts";
import { CuttableDisk, ensureOwnMounts, freeze } from "./disk.ts";
