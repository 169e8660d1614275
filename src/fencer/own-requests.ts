import type { FenceRequest } from "./face.ts";
import { Rewind } from "./rewind.ts";

/** Ends that are remembered, so that none is told twice. */
const rememberedEnds = 1000;

/** The requests of this node until their end is told. */
export class OwnRequests {
  /** Whose end has not come round yet. */
  private readonly asked = new Map<string, FenceRequest>();
  /** How many results had come here by then. */
  private readonly places = new Map<string, number>();
  /** Whose end was told here. */
  private readonly reported = new Set<string>();
  /** Whose end this node has announced itself. */
  private readonly gaveUp = new Set<string>();
  private readonly rewind = new Rewind(() => {
    const [asked, reported, gaveUp] = [[...this.asked], [...this.reported], [...this.gaveUp]];
    const places = [...this.places];
    return () => {
      this.places.clear();
      for (const [id, place] of places) this.places.set(id, place);
      this.asked.clear();
      for (const [id, request] of asked) this.asked.set(id, request);
      this.reported.clear();
      for (const id of reported) this.reported.add(id);
      this.gaveUp.clear();
      for (const id of gaveUp) this.gaveUp.add(id);
    };
  });

  ask(request: FenceRequest, place: number): void {
    this.asked.set(request.id, request);
    this.places.set(request.id, place);
  }

  /** How many results this node had heard of when it asked. */
  askedAt(id: string): number | undefined {
    return this.asked.has(id) ? this.places.get(id) : undefined;
  }

  get(id: string): FenceRequest | undefined {
    return this.asked.get(id);
  }

  waiting(): FenceRequest[] {
    return [...this.asked.values()];
  }

  /** Takes back what is done from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  /** It has ended; true when this node was waiting for it. */
  settle(id: string): boolean {
    this.rewind.touch();
    this.gaveUp.delete(id);
    this.places.delete(id);
    return this.asked.delete(id);
  }

  /** True once for each request: after a merger of rings two operations may answer the same one. */
  report(id: string): boolean {
    if (this.reported.has(id)) return false;
    this.rewind.touch();
    this.reported.add(id);
    const [oldest] = this.reported;
    if (this.reported.size > rememberedEnds && oldest !== undefined) this.reported.delete(oldest);
    return true;
  }

  /** Nobody has decided: true the first time, when its end is to be announced; then it has to do without. */
  giveUp(id: string): boolean {
    if (this.gaveUp.delete(id)) return false;
    this.gaveUp.add(id);
    return true;
  }
}
