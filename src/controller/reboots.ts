import type { FenceResult } from "../fencer/index.ts";
import type { NodeName } from "../terms/index.ts";
import type { StatusWarning } from "./status-input.ts";

/**
 * Whether nodes that were reset have been: by the boot that each tells when it comes back (random(4), boot_id), and by
 * whether its daemon has run all the time. Whose device only says so has run its services beside those that were started
 * elsewhere meanwhile: people have to know. Each manager tells what it has seen itself.
 */
export class Reboots {
  readonly #boots = new Map<NodeName, string>();
  readonly #fenced = new Map<NodeName, { readonly boot: string; readonly devices: string }>();
  readonly #untrue = new Map<NodeName, string>();

  /** A node tells in which boot it runs. */
  runs(node: NodeName, boot: string): void {
    if (boot !== this.#boots.get(node)) this.#untrue.delete(node);
    this.#boots.set(node, boot);
  }

  /** A node is said to be reset. One that was switched off at the fabric comes back in the same boot, and rightly so. */
  fenced({ target, deed, devices }: FenceResult): void {
    const boot = this.#boots.get(target);
    if (boot === undefined || (deed !== "reset" && deed !== "off-on")) this.#fenced.delete(target);
    else this.#fenced.set(target, { boot, devices: devices.join(" ") });
  }

  /** A node has come back; `daemonIsNew`: its daemon was started since. Says what was untrue, if it was. */
  cameBack(node: NodeName, boot: string, daemonIsNew: boolean): string | undefined {
    const told = this.#fenced.get(node);
    // However it came, that fencing is not asked about any more.
    this.#fenced.delete(node);
    if (daemonIsNew || told?.boot !== boot) return undefined;
    const text =
      `${node} was not reset when ${told.devices} said so: it is back, and its daemon has run all the time. What ran ` +
      "there may have run on while it was started elsewhere";
    this.#untrue.set(node, text);
    return text;
  }

  /** For status, until the node has really been rebooted. */
  warnings(): StatusWarning[] {
    return [...this.#untrue].map(([node, text]) => ({
      code: "FENCING-UNTRUE",
      node,
      text: `${text}. Look for damage, repair the device, try it ('hactl fence test ${node}'), then reboot ${node}`,
    }));
  }
}
