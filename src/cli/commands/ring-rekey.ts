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
      "Change the cluster's secret key while it runs. A node that is away needs a copy of the new one afterwards. " +
      "The new key is sent to the nodes under the old one: after a leak of that use --brought, else whoever has it " +
      "learns the new one too.",
  },
  args: {
    brought: {
      type: "boolean",
      description:
        "use the key that you have made with 'hactl keygen -k KEYFILE.brought' and copied to the same place on every node, " +
        "by ssh for example; it is not sent, and nothing is changed unless all members have it",
    },
  },
  run: async ({ args }) => {
    const reply = await ask<RekeyReply>({ type: "rekey", brought: args.brought === true }, patienceMs);
    if (wantsJson()) printJson(reply);
    else tell(reply);
    return CrmExit.OK;
  },
});

function tell({ nodes, absent, keyFile, brought }: RekeyReply): void {
  print(`${nodes.length} nodes use the new key: ${nodes.join(", ")}.`);
  print(`It is in ${keyFile} on each of them; the one before is kept beside it as ${keyFile}.old.`);
  if (!brought) {
    note(
      "It was sent to them under the key before it: if somebody else has that one, he may have this one too.",
    );
    note(
      `For that case make a key with 'hactl keygen -k ${keyFile}.brought', copy it to that place on every node`,
    );
    note("by ssh, and use 'hactl ring rekey --brought'.");
  }
  if (absent.length === 0) return;
  note(
    `${absent.join(", ")} ${absent.length === 1 ? "was" : "were"} not there and cannot join with the old key. Copy it:`,
  );
  for (const node of absent) note(`  scp -p ${keyFile} ${node}:${keyFile}`);
}
