/** A word in quotes, as a shell takes it for this text whatever is in it (POSIX, "Single-Quotes"). */
export const shellQuoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
