/** The admin CLI: one file a command, which prints and asks and decides nothing. */
export { runCli } from "./main-command.ts";
