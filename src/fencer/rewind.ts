/**
 * Takes a part of the fencer's state back to where it was at a savepoint. The copy is made when something is about to be
 * changed, since most messages change little.
 */
export class Rewind {
  private armed = false;
  private back: (() => void) | undefined;

  /** `copy` takes a copy and answers how to put it in place. */
  constructor(private readonly copy: () => () => void) {}

  /** What is done from now on is taken back by the answer. */
  savepoint(): () => void {
    this.armed = true;
    this.back = undefined;
    return () => this.back?.();
  }

  /** Something is about to be changed. */
  touch(): void {
    if (!this.armed) return;
    this.armed = false;
    this.back = this.copy();
  }
}
