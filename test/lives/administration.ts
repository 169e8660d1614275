import { child, childrenOf, formatXml, parseXml } from "../../src/cib/index.ts";
import { nodeName, resourceId, withoutInstance } from "../../src/terms/index.ts";
import { serviceOf } from "./agents.ts";
import type { Fault, Faults, Mortality } from "./faults.ts";
import { MONITOR_MS, type World } from "./world.ts";

/*
 * What administrators do to a running cluster: they edit resources, take them out of its hands and give them back, give
 * orders, fence, revoke tickets. Mostly somebody dies over it.
 */

/** What a constraint can name: not a replica of a bundle, nor an instance. */
export const movable = ({ plan }: World): string[] =>
  plan.expectations.single.filter((id) => !/-podman-\d+$|:/.test(id));

/** Does something, before or after which somebody dies, if anybody does. */
function mostlyWithDeath(f: Faults, deed: () => void): void {
  const when = f.random.pick(["never", "before", "after", "after"] as const);
  const what = f.random.pick<Mortality>(["daemon", "daemon", "manager", "executor", "host"]);
  if (when === "never" || f.upNodes.length === 0) return deed();
  const host = f.random.pick(f.upNodes);
  if (when === "before") {
    f.die(host, what);
    return f.later(f.random.between(0, 400), deed);
  }
  deed();
  f.later(f.random.between(0, f.random.pick([30, 400, 3000])), () => f.die(host, what));
}

// ── the configuration ──────────────────────────────────────────────────────────────────────────────────────

/** The primitives that can be edited, as they were configured, by id. */
const editable = ({ plan }: World): Map<string, string> =>
  new Map(
    [...plan.cib.matchAll(/<primitive id="([^"]+)"[^>]* type="(?:Dummy|Stateful)".*?<\/primitive>/gs)].map(
      ([xml, id = ""]) => [id, xml],
    ),
  );

/** A primitive with another agent, other parameters, or both. */
function edited(id: string, xml: string, f: Faults): string {
  const conf = f.random.pick(["", "1", "2", "3"]);
  const other = f.random.chance(0.3) ? "Other" : "";
  f.note(`${id} is edited (${other} ${conf})`);
  const set = `${id}-instance_attributes`;
  const parameters = `<instance_attributes id="${set}"><nvpair id="${set}-conf" name="conf" value="${conf}"/></instance_attributes>`;
  return xml.replace(/ type="(\w+)">/, ` type="${other}$1">${conf === "" ? "" : parameters}`);
}

const put = (world: World, xml: string) => world.change([{ op: "replace", scope: "resources", xml }]);

/** A resource gets another agent, or other parameters. */
function edit(f: Faults): void {
  if (!f.faithful) return setRole(f);
  const [id, xml] = f.random.pick([...editable(f.world)]);
  mostlyWithDeath(f, () => put(f.world, edited(id, xml, f)));
  if (f.random.chance(0.3)) f.later(f.random.between(0, 1500), () => put(f.world, xml));
}

/** The primitives beside groups and clones that at most a location names. */
function lone(world: World): [string, string][] {
  const configuration = child(parseXml(world.plan.cib), "configuration");
  const ids = childrenOf(child(configuration, "resources"), "primitive").map((one) =>
    one.attributes.get("id"),
  );
  const named = (child(configuration, "constraints")?.children ?? [])
    .filter(({ name }) => name !== "rsc_location")
    .map((constraint) => formatXml(constraint, -1))
    .join();
  return [...editable(world)].filter(([id]) => ids.includes(id) && !named.includes(`"${id}"`));
}

/** A resource is deleted, with its locations, and made again under its id, maybe as something else. */
function recreate(f: Faults): void {
  const { world } = f;
  const those = lone(world);
  if (!f.faithful || those.length === 0) return edit(f);
  const [id, xml] = f.random.pick(those);
  mostlyWithDeath(f, () => {
    f.note(`${id} is deleted`);
    for (const location of [`${id}-likes`, `ban-${id}`])
      world.change([{ op: "delete", scope: "constraints", xml: `<rsc_location id="${location}"/>` }]);
    if (!world.change([{ op: "delete", scope: "resources", xml: `<primitive id="${id}"/>` }])) return;
    f.later(f.random.between(0, f.random.pick([5, 300, 4000])), () =>
      world.change([{ op: "create", scope: "resources", xml: edited(id, xml, f) }]),
    );
  });
}

const property = (world: World, name: string, value: string) => world.configure(`property ${name}=${value}`);

/** An option of the cluster is changed; what would leave things undone is changed back. */
function changeOption(f: Faults): void {
  const [name, value, before] = f.random.pick<readonly [string, string, string?]>([
    ["batch-limit", "1"],
    ["start-failure-is-fatal", "false"],
    ["concurrent-fencing", "false"],
    ["cluster-delay", "1s"],
    ["migration-limit", "1"],
    ["no-quorum-policy", f.random.pick(["freeze", "demote", "stop", "suicide", "fence"])],
    ["stop-orphan-resources", "false", "true"],
    ["stop-all-resources", "true", "false"],
    ["symmetric-cluster", "false", "true"],
  ]);
  f.note(`${name}=${value}`);
  property(f.world, name, value);
  if (before !== undefined) f.later(f.random.between(100, 5000), () => property(f.world, name, before));
}

/** Sets a meta attribute of a primitive, group, clone or bundle. */
function setMeta(world: World, id: string, name: string, value: string): boolean {
  const kind = world.plan.cib.match(`<(primitive|group|clone|bundle) id="${id}"`)?.[1];
  const set = `${id}-meta_attributes`;
  const xml = `<${kind} id="${id}"><meta_attributes id="${set}"><nvpair id="${set}-${name}" name="${name}" value="${value}"/></meta_attributes></${kind}>`;
  return world.change([{ op: "modify", scope: "resources", xml, create: true }]);
}

/** `crm resource stop`, `demote` and `start`. */
function setRole(f: Faults): void {
  const ids = [...f.world.plan.cib.matchAll(/<(?:primitive|group|clone|bundle) id="([^"]+)"/g)]
    .map(([, id = ""]) => id)
    .filter((id) => !id.startsWith("fence"));
  const id = f.random.pick(ids);
  const set = (role: string) => {
    f.note(`target-role of ${id} is ${role}`);
    setMeta(f.world, id, "target-role", role);
  };
  const wanted = f.random.pick(["Stopped", "Stopped", "Unpromoted", "Started"]);
  mostlyWithDeath(f, () => set(wanted));
  if (f.random.chance(0.8)) f.later(f.random.between(100, 6000), () => set("Started"));
}

// ── hands off ──────────────────────────────────────────────────────────────────────────────────────────────

const allThere = (world: World) => world.order.settled && world.synced().length === world.nodes.length;

/** Something is not managed until all nodes are there again and have been for a moment. */
function handsOff(f: Faults, what: string, manage: (managed: boolean) => boolean): void {
  const { world } = f;
  if (f.handsOff) return;
  f.note(`${what} is not managed`);
  if (!manage(false)) return;
  f.handsOff = true;
  const over = world.clock.now + f.random.between(200, f.random.pick([1500, 20_000]));
  let together = 0;
  const look = () => {
    together = allThere(world) ? together + 1 : 0;
    world.watch.unseenFor(2000);
    // Beyond the end of all faults, too.
    if (world.clock.now < over || together < 5 || !manage(true)) return void world.clock.after(300, look);
    f.note(`${what} is managed again`);
    f.handsOff = false;
    world.watch.unseenFor(MONITOR_MS);
  };
  look();
}

function maintain(f: Faults): void {
  handsOff(f, "everything", (managed) => property(f.world, "maintenance-mode", String(!managed)));
  if (f.random.chance(0.5)) f.later(f.random.between(500, 3000), () => restartAll(f));
}

function unmanage(f: Faults): void {
  const id = f.random.pick(movable(f.world));
  handsOff(f, id, (managed) => setMeta(f.world, id, "is-managed", String(managed)));
  if (f.random.chance(0.6))
    f.later(f.random.between(0, 3000), () => {
      if (f.upNodes.length > 0)
        f.die(f.random.pick(f.upNodes), f.random.pick(["daemon", "manager", "executor"]));
    });
}

// ── orders ─────────────────────────────────────────────────────────────────────────────────────────────────

/** All nodes leave at once, and are started one after the other. */
function restartAll(f: Faults): void {
  f.note("all nodes are asked to leave");
  const up = f.random.shuffle(f.upNodes);
  for (const host of up) f.later(f.random.between(0, 300), () => f.drainHost(host));
  const [victim] = up;
  if (victim && f.random.chance(0.4))
    f.later(f.random.between(0, 3000), () => f.die(victim, f.random.pick(["manager", "daemon", "executor"])));
  let at = f.random.between(4000, 15_000);
  for (const host of f.random.shuffle(up)) {
    f.later(at, () => f.world.startDaemon(host));
    at += f.random.between(0, 2500);
  }
}

/** `stonith_admin --reboot`. */
function fenceByHand(f: Faults): void {
  const target = f.random.pick(f.world.hosts.filter(({ kind }) => kind !== "guest"));
  mostlyWithDeath(f, () => {
    f.note(`${target.name} is fenced by hand`);
    f.world.reachable()?.rebootByHand(target.name);
  });
}

/** `crm_resource --fail`. */
function failByHand(f: Faults): void {
  const running = f.world.hosts.flatMap(({ name, services }) =>
    [...services.keys()].map((instance) => ({ node: name, instance })),
  );
  if (running.length === 0) return;
  const { node, instance } = f.random.pick(running);
  const rsc = resourceId(withoutInstance(serviceOf(instance)));
  mostlyWithDeath(f, () => {
    f.note(`${rsc} is to have failed on ${node}`);
    f.world.request((request) => ({ type: "fail-request", request, rsc, node }));
  });
}

/** The connection to a remote host may not be where it is. */
function moveConnection(f: Faults): void {
  const { world } = f;
  if (world.plan.remotes.length === 0) return failByHand(f);
  const id = f.random.pick(world.plan.remotes);
  const from = f.random.pick(world.nodes);
  mostlyWithDeath(f, () => {
    f.note(`the connection ${id} may not be on ${from.name}`);
    world.configure(`location ban-${id} ${id} -inf: ${from.name}`);
  });
  if (f.random.chance(0.5)) f.later(f.random.between(0, 1500), () => f.die(world.host(id), "daemon"));
  f.later(f.random.between(500, 12_000), () =>
    world.change([{ op: "delete", scope: "constraints", xml: `<rsc_location id="ban-${id}"/>` }]),
  );
}

function setStandby(world: World, name: string, value: string | undefined): void {
  const updates = [{ node: nodeName(name), name: "standby", value }];
  world.request((request) => ({ type: "attribute-request", request, updates }));
}

/** A remote host or guest is on standby for a while. */
function farStandby(f: Faults): void {
  const { remotes, guests } = f.world.plan;
  if (remotes.length + guests.length === 0) return setRole(f);
  const name = f.random.pick([...remotes, ...guests]);
  mostlyWithDeath(f, () => {
    f.note(`${name} is on standby`);
    setStandby(f.world, name, "on");
  });
  f.later(f.random.between(500, 9000), () => setStandby(f.world, name, undefined));
}

/** Whether what runs depends on the ticket. */
export const needsTicket = ({ plan }: World): boolean => plan.cib.includes("<rsc_ticket");

export function grantTicket(world: World, granted: boolean): void {
  const status = child(world.reachable()?.view.cib, "status");
  const xml = `<tickets><ticket_state id="site" granted="${granted}" standby="false"/></tickets>`;
  world.change([
    child(status, "tickets")
      ? { op: "replace", xpath: "/cib/status/tickets", xml }
      : { op: "create", xpath: "/cib/status", xml },
  ]);
}

/** The ticket is revoked, and granted again. */
function revoke(f: Faults): void {
  if (!needsTicket(f.world)) return setRole(f);
  mostlyWithDeath(f, () => {
    f.note("the ticket is revoked");
    grantTicket(f.world, false);
  });
  f.later(f.random.between(100, 9000), () => {
    f.note("the ticket is granted");
    grantTicket(f.world, true);
  });
}

/** What administrators do, with weights. */
export const administration: readonly (readonly [weight: number, fault: Fault])[] = [
  [8, edit],
  [4, recreate],
  [6, setRole],
  [4, changeOption],
  [4, maintain],
  [4, unmanage],
  [4, restartAll],
  [4, failByHand],
  [4, fenceByHand],
  [4, moveConnection],
  [2, farStandby],
  [4, revoke],
];

/** What a life may be full of, by name. */
export const administrations: Readonly<Record<string, Fault>> = {
  edits: (f) => f.random.pick([edit, edit, recreate])(f),
  "hands-off": (f) => f.random.pick([maintain, unmanage, restartAll, setRole])(f),
  orders: (f) => f.random.pick([setRole, fenceByHand, failByHand, restartAll, changeOption])(f),
  far: (f) => f.random.pick([moveConnection, farStandby])(f),
  tickets: revoke,
};

/** Everything is configured again as in the beginning, and the ticket is granted. */
export function restoreConfiguration(world: World): void {
  const configuration = child(parseXml(world.plan.cib), "configuration");
  if (configuration)
    world.change([{ op: "replace", scope: "configuration", xml: formatXml(configuration, -1) }]);
  for (const name of [...world.plan.remotes, ...world.plan.guests]) setStandby(world, name, undefined);
  if (needsTicket(world)) grantTicket(world, true);
}
