import { configFile, loadConfigFile } from "../config/index.ts";
import { HactlError } from "../terms/index.ts";

/** Where the daemons of this machine look for the keys: as hactl.toml says, or the usual places where there is none yet. */
export function keyFiles(): { readonly cluster: string; readonly remote: string } {
  try {
    const { totem, remote } = loadConfigFile(configFile(), "text");
    return { cluster: totem.keyFile, remote: remote.keyFile };
  } catch (error) {
    if (!(error instanceof HactlError && error.code === "CONFIG_MISSING")) throw error;
    return { cluster: "/etc/hactl/authkey", remote: "/etc/hactl/remote-authkey" };
  }
}
