/**
 * close-doors.ts FILE: a compiled executable that is nothing but hactl. Bun's runtime in it obeys BUN_OPTIONS (which can
 * name code to load) and BUN_BE_BUN (which makes it an interpreter) before the first line of ours, so whoever may run
 * hactl as root by a rule of sudo that keeps such variables could run anything. Nobody needs them there: the names that
 * the runtime looks for become names that nothing sets.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const doors = ["BUN_OPTIONS", "BUN_BE_BUN"];

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: close-doors.ts FILE");
const executable = readFileSync(file);
const places = doors.map((name) => {
  const whole = Buffer.from(`\0${name}\0`);
  const at = executable.indexOf(whole);
  // Another release of the runtime may keep its names elsewhere: then this has to be thought through anew.
  if (at < 0 || executable.indexOf(whole, at + 1) >= 0)
    throw new Error(`${file}: the name ${name} does not stand in it once: see what the runtime does with it now`);
  return at + 1;
});
const opened = openSync(file, "r+");
for (const at of places) writeSync(opened, Buffer.from([1]), 0, 1, at);
closeSync(opened);
