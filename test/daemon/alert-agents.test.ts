import { expect, test } from "bun:test";
import type { XmlElement } from "../../src/cib/index.ts";
import { AlertAgents } from "../../src/daemon/alert-agents.ts";
import type { Log } from "../../src/platform/index.ts";

/** An alert must not end the manager, which tells it of every event. */
test("what fails while an event is told to alerts ends nothing, and is said once", () => {
  const said: string[] = [];
  const log = { warning: (id: string) => said.push(id) } as unknown as Log;
  const agents = new AlertAgents({ log, env: {} });
  const broken = new Proxy({} as XmlElement, {
    get: () => {
      throw new RangeError("Out of memory");
    },
  });
  agents.configure(broken);
  for (let i = 0; i < 3; i++) agents.event({ kind: "node", node: "n1", nodeId: 1, state: "lost" });
  expect(said).toEqual(["ALERT-DEFECT"]);
});
