/** Exit status of a process that ends by a defect of its own (sysexits(3), EX_SOFTWARE). */
const SOFTWARE = 70;
/** How long the last words of a process may take. */
const LAST_WORDS_MS = 1_000;

/** What a process does about an error that nobody has caught. */
export interface LastResort {
  /** Says what is wrong; the process ends when it is said, with status 70, and whoever started it starts it again. */
  readonly defect: (error: unknown) => void | Promise<void>;
  /** Whoever read the output is gone (EPIPE). Answers the exit code to end with, or nothing to go on. */
  readonly brokenPipe: () => number | undefined;
  /**
   * The system has refused something (no room, no permission), which is no defect of a command: says so and answers the exit
   * code. Without this it is a defect.
   */
  readonly refused?: (error: NodeJS.ErrnoException) => Promise<number>;
}

/** Whether the system has refused something: such errors carry its name for it (errno(3)). */
export const isRefusal = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && /^E[A-Z0-9]+$/.test(String((error as NodeJS.ErrnoException).code ?? ""));

let resort: LastResort | undefined;
let ending = false;

/**
 * Takes care of errors that nobody has caught, thrown or in a promise: no process goes on half alive. The one that was
 * given last counts; a process names its own as soon as it can speak.
 */
export function onUncaught(next: LastResort): void {
  const first = resort === undefined;
  resort = next;
  if (!first) return;
  process.on("uncaughtException", uncaught);
  process.on("unhandledRejection", uncaught);
}

/** Ends the process by a defect: a second one while the first is told does not matter any more. */
export async function endByDefect(error: unknown): Promise<never> {
  if (ending) return await new Promise<never>(() => {});
  ending = true;
  const limit = setTimeout(() => process.exit(SOFTWARE), LAST_WORDS_MS);
  try {
    await resort?.defect(error);
  } finally {
    clearTimeout(limit);
    process.exit(SOFTWARE);
  }
}

async function endByRefusal(error: Error, refused: NonNullable<LastResort["refused"]>): Promise<void> {
  if (ending) return;
  ending = true;
  const limit = setTimeout(() => process.exit(SOFTWARE), LAST_WORDS_MS);
  const exit = await refused(error);
  clearTimeout(limit);
  process.exit(exit);
}

function uncaught(error: unknown): void {
  const broken = (error as { code?: unknown } | null | undefined)?.code === "EPIPE";
  if (!broken && isRefusal(error) && resort?.refused) return void endByRefusal(error, resort.refused);
  if (!broken) return void endByDefect(error);
  const exit = resort?.brokenPipe();
  if (exit !== undefined) process.exit(exit);
}
