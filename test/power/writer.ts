/*
 * Writes what is asked for on a disk that may lose its power at any moment: `KIND N` on standard input, and the same on standard
 * output when it would be acknowledged. `writer.ts DIRECTORY`
 */
import { kinds, type Target } from "./targets.ts";

const disk = process.argv[2] ?? "";
const targets = new Map<string, Target>(kinds.map((kind) => [kind.name, kind.open(disk)]));
console.log("ready");
for await (const line of console) {
  const [name = "", n] = line.split(" ");
  await targets.get(name)?.write(Number(n));
  console.log(line);
}
