import { defineCommand } from "citty";
import type { RekeyReply } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { note, print, printJson, wantsJson } from "../output.ts";

/** Longer than the daemon waits for the other nodes. */
const patienceMs = 30_000;

export default defineCommand({
  meta: {
    name: "rekey",
    description:
      "Change the cluster's secret key while it runs. A node that is away needs a copy of the new one afterwards.",
  },
  run: async () => {
    const reply = await ask<RekeyReply>({ type: "rekey" }, patienceMs);
    if (wantsJson()) printJson(reply);
    else tell(reply);
    return CrmExit.OK;
  },
});

function tell({ nodes, absent, keyFile }: RekeyReply): void {
  print(`${nodes.length} nodes use the new key: ${nodes.join(", ")}.`);
  print(`It is in ${keyFile} on each of them; the one before is kept beside it as ${keyFile}.old.`);
  if (absent.length === 0) return;
  note(
    `${absent.join(", ")} ${absent.length === 1 ? "was" : "were"} not there and cannot join with the old key. Copy it:`,
  );
  for (const node of absent) note(`  scp -p ${keyFile} ${node}:${keyFile}`);
}
