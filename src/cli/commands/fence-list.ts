import { defineCommand } from "citty";
import { fenceDevices, fencingRemarks } from "../fencing.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "list",
    description: "The fence devices, the levels that they are in, and who may run them.",
  },
  run: async () => {
    const devices = await fenceDevices();
    if (wantsJson()) return printJson(devices);
    const remarks = await fencingRemarks();
    if (devices.length === 0) print("There are no fence devices: a node that fails cannot be fenced.");
    for (const device of devices) {
      const state = device.disabled === "" ? "" : colours.yellow(`  not used: ${device.disabled}`);
      print(`${colours.bold(device.id)}  stonith:${device.agent}${state}`);
      const levels = Object.entries(device.levels).map(([node, index]) => `${node} level ${index}`);
      if (levels.length > 0) print(`  for     ${levels.join(", ")}`);
      if (device.registeredOn)
        print(`  only    registered on ${device.registeredOn.join(", ")}, until hactl ends there`);
      print(`  run by  ${device.nodes.length > 0 ? device.nodes.join(", ") : "nobody"}`);
      const params = Object.entries(device.params).map(([name, value]) => `${name}=${value}`);
      if (params.length > 0) print(colours.dim(`  params  ${params.join(" ")}`));
    }
    for (const text of remarks) print(colours.yellow(`warning: ${text}`));
  },
});
