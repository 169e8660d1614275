import { readFileSync } from "node:fs";
import type { FenceAction } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { deviceXml, FenceCluster } from "./cluster.ts";

/**
 * Plays a story: lines that begin with `$` are commands, the lines below each are what must happen, word for
 * word. Answers the story as it happened.
 */
export function play(file: string): { readonly written: string; readonly happened: string } {
  const written = readFileSync(file, "utf8");
  const story = new Story();
  const lines: string[] = [];
  for (const line of written.split("\n")) {
    if (line.startsWith("$ ")) {
      lines.push(line, ...story.command(line.slice(2)));
    } else if (line.startsWith("#") || line === "") lines.push(line);
  }
  return { written, happened: lines.join("\n") };
}

const ms = (text: string) => Math.round(Number(text.replace(/s$/, "")) * 1000);

class Story {
  private cluster: FenceCluster | undefined;
  private resources = "";
  private topology = "";
  private constraints = "";
  private properties = "";
  private ids = 0;

  command(text: string): string[] {
    const [verb = "", ...rest] = text.split(/\s+/);
    if (verb === "nodes") {
      this.cluster = new FenceCluster(rest);
      this.resources = this.topology = this.constraints = this.properties = "";
    } else this.act(verb, rest, text);
    return this.cluster?.trace.splice(0) ?? [];
  }

  private act(verb: string, rest: readonly string[], text: string): void {
    const cluster = this.cluster;
    if (!cluster) throw new Error("a story begins with its nodes");
    const [a = "", b = "", c = ""] = rest;
    switch (verb) {
      case "agent":
        cluster.agents.set(a, rest[1] === "missing" ? undefined : metadata(rest.slice(1)));
        break;
      case "device":
        this.resources += deviceXml(a, b, pairs(rest.slice(2)), text.includes("STOPPED") ? stopped(a) : "");
        break;
      case "levels":
        for (const [index, devices] of rest.slice(1).entries())
          this.topology += level(++this.ids, a, index + 1, devices);
        break;
      case "location":
        this.constraints += `<rsc_location id="l${++this.ids}" rsc="${a}" node="${b}" score="${c}"/>`;
        break;
      case "property":
        this.properties += `<nvpair id="p${++this.ids}" name="${a}" value="${b}"/>`;
        break;
      case "load":
        cluster.configure(this.resources, this.topology, this.constraints, this.properties);
        break;
      case "random":
        cluster.random = Number(a);
        break;
      case "behave":
        cluster.behaviours.set(a.replace("/", " "), behaviour(rest.slice(1), text));
        break;
      case "ask":
        cluster.request(
          a,
          c,
          b as FenceAction,
          text.includes(" delay=") ? { delayMs: ms(text.split(" delay=")[1] ?? "") } : {},
        );
        break;
      case "kill":
        cluster.kill(...rest);
        break;
      case "split":
        cluster.split(rest);
        break;
      case "meet":
        cluster.meet(rest);
        break;
      case "manager-dies":
        cluster.managerDies(a);
        break;
      case "manager-back":
        cluster.managerBack(a);
        break;
      case "manager-given-up":
        cluster.managerGivenUp(a);
        break;
      case "join":
        cluster.join(a);
        this.act("load", [], "");
        break;
      case "back":
        cluster.back(a);
        this.act("load", [], "");
        break;
      case "notice":
        cluster.event(a, { type: "kdump-notice", node: nodeName(b), signed: false });
        break;
      case "alive":
        for (const host of cluster.hosts.keys()) cluster.event(host, { type: "alive", node: nodeName(a) });
        break;
      case "confirm":
        cluster.event(a, { type: "confirm", id: `c${++this.ids}`, target: nodeName(b), client: c });
        break;
      case "test":
        cluster.event(a, { type: "test", id: "t1", target: nodeName(b) });
        break;
      case "pass":
        cluster.pass(ms(a));
        break;
      case "log":
        cluster.trace.push(...cluster.logs.filter((line) => line.startsWith(`${a} `)));
        break;
      case "history":
        for (const host of cluster.hosts.values())
          if (host.up)
            cluster.trace.push(
              `${host.name}: ${host.fencer
                .entries()
                .map((one) => `${one.id} ${one.target} ${one.ok ? one.deed : "failed"}`)
                .join(", ")}`,
            );
        break;
      default:
        throw new Error(`unknown command: ${text}`);
    }
  }
}

function metadata(flags: readonly string[]) {
  return {
    actions: flags.filter((flag) => !flag.includes("=") && !flag.startsWith("+")),
    hostArgument: flags.includes("+plug")
      ? ("plug" as const)
      : flags.includes("+none")
        ? ("none" as const)
        : ("port" as const),
    onTarget: flags.includes("+on_target"),
    automatic: flags.includes("+automatic"),
  };
}

function pairs(words: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    if (at > 0) pairs[word.slice(0, at)] = word.slice(at + 1).replaceAll("_BLANK_", " ");
  }
  return pairs;
}

const stopped = (id: string) =>
  `<meta_attributes id="${id}-ma"><nvpair id="${id}-tr" name="target-role" value="Stopped"/></meta_attributes>`;

function level(id: number, target: string, index: number, devices: string): string {
  const how = target.startsWith("/")
    ? `target-pattern="${target.slice(1)}"`
    : target.includes("=")
      ? `target-attribute="${target.split("=")[0]}" target-value="${target.split("=")[1]}"`
      : `target="${target}"`;
  return `<fencing-level id="fl${id}" ${how} index="${index}" devices="${devices}"/>`;
}

function behaviour(words: readonly string[], text: string) {
  const [how = "", value = "0"] = words;
  const after = /after (\S+)/.exec(text)?.[1];
  const stdout = /says (.*?)(?: after |$)/.exec(text)?.[1] ?? "";
  const afterMs = how === "hang" ? Number.POSITIVE_INFINITY : after === undefined ? 1000 : ms(after);
  if (how === "error") return { outcome: { exit: null, error: value }, afterMs };
  return {
    outcome: {
      exit: Number(value),
      stdout: stdout.replaceAll("|", "\n"),
      stderr: how === "exit" && value !== "0" ? "no route to the BMC" : "",
    },
    afterMs,
  };
}
