/** Loaded before the program: what it uses to write is broken. */
process.stdout.write = () => {
  throw new TypeError("broken on purpose");
};
