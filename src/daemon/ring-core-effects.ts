import type { QuorumEffect } from "../quorum/index.ts";
import type { LinksEffect, TotemEvent } from "../totem/index.ts";
import type { BroughtEffect } from "./ring-core-brought.ts";
import type { RingEffect } from "./ring-core-face.ts";
import type { KeyEffect } from "./ring-core-keys.ts";
import type { RingMessage } from "./ring-core-wire.ts";

/** Where the effects of the ring's parts go: out to the driver, on to the protocol, or to all members in order. */
export interface Destinations {
  readonly out: (effect: RingEffect) => void;
  readonly totem: (event: TotemEvent) => void;
  readonly say: (message: RingMessage) => void;
}

/** What links ask for. */
export function routeLinks(effects: readonly LinksEffect[], to: Destinations): void {
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        to.out(effect);
        break;
      case "set-timer":
        to.out({ type: "set-timer", timer: "links:tick", afterMs: effect.afterMs });
        break;
      case "receive":
        to.totem({ type: "datagram", from: effect.from, data: effect.data });
        break;
      case "lost":
        to.totem(effect);
        break;
      case "refuse-unstamped":
        to.out(effect);
        break;
      case "log":
        to.out({ type: "log", level: effect.level, subsystem: "LINK", text: effect.text });
        break;
    }
  }
}

/** What quorum asks for. */
export function routeQuorum(effects: readonly QuorumEffect[], to: Destinations): void {
  for (const effect of effects) {
    switch (effect.type) {
      case "set-timer":
        to.out({ type: "set-timer", timer: "quorum:last-man-standing", afterMs: effect.afterMs });
        break;
      case "cancel-timer":
        to.out({ type: "cancel-timer", timer: "quorum:last-man-standing" });
        break;
      case "propose-window-over":
        to.say({ kind: "window-over", sequence: effect.ringSequence });
        break;
      case "persist": {
        const { expectedVotes, lastQuorate } = effect;
        to.out({ type: "persist-expected-votes", expectedVotes, lastQuorate });
        break;
      }
      case "state":
        to.out({ type: "quorum", state: effect.state });
        break;
      case "log":
        to.out({ type: "log", level: effect.level, subsystem: "QUORUM", text: effect.text });
        break;
    }
  }
}

/** What a change of the key asks for; the seal has done its part. */
export function routeKeys(effects: readonly (KeyEffect | BroughtEffect)[], to: Destinations): void {
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        to.say(effect.message);
        break;
      case "use":
        break;
      case "store":
        to.out({ type: "store-key", key: effect.key, digest: effect.digest });
        break;
      case "adopt":
        to.out({ type: "adopt-key", key: effect.key, digest: effect.digest });
        break;
      case "find-brought":
      case "brought-refused":
        to.out(effect);
        break;
      case "changed":
        to.out({ type: "key-changed", digest: effect.digest, nodes: effect.nodes });
        break;
    }
  }
}
