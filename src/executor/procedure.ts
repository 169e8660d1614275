import { agentName, OcfExit, OpStatus } from "../terms/index.ts";
import type { Procedure } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Operation } from "./face.ts";
import { lsbProcedure } from "./lsb.ts";
import { ocfProcedure, verdict } from "./ocf.ts";
import { systemdProcedure } from "./systemd.ts";

/** The rules by which an operation is run: those of its agent's standard. */
export function procedureFor(operation: Operation, config: ExecutorConfig): Procedure {
  switch (operation.rsc.class) {
    case "ocf":
      return ocfProcedure(operation, config);
    case "lsb":
      return lsbProcedure(operation, config);
    case "systemd":
      return systemdProcedure(operation, config);
    case "service":
      return serviceProcedure(operation, config);
    case "stonith":
      return {
        next: () => ({
          do: "finish",
          verdict: verdict(
            OcfExit.UNIMPLEMENTED,
            OpStatus.NOT_SUPPORTED,
            `${agentName(operation.rsc)}: fence devices are run by the fencer, not by an executor`,
          ),
        }),
      };
  }
}

/** `service:X` is the systemd unit X where there is one, else the init script X. */
function serviceProcedure(operation: Operation, config: ExecutorConfig): Procedure {
  const as = (name: "systemd" | "lsb") => ({ ...operation, rsc: { ...operation.rsc, class: name } });
  const lsb = lsbProcedure(as("lsb"), config);
  // A stop of a unit that is not there must ask the init script, so the unit is looked for by a monitor.
  const lookup = systemdProcedure({ ...as("systemd"), action: "monitor" }, config);
  let chosen: Procedure | undefined;
  return {
    next(outcome) {
      if (chosen) return chosen.next(outcome);
      if (!outcome) return lookup.next(undefined);
      const found = lookup.next(outcome);
      const absent = found.do === "finish" && found.verdict.status === OpStatus.NOT_INSTALLED;
      chosen = absent ? lsb : systemdProcedure(as("systemd"), config);
      return chosen.next(undefined);
    },
  };
}
