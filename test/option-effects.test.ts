import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  alertMeta,
  cloneMeta,
  clusterProperties,
  groupMeta,
  nodeOptions,
  operationOptions,
  parseXml,
  resourceMeta,
  verifyCib,
} from "../src/cib/index.ts";
import { partNamed } from "../src/config/build.ts";
import { configTables } from "../src/config/index.ts";
import { subsystemOptions } from "../src/config/table-quorum.ts";
import { deviceOptions } from "../src/fencer/index.ts";
import { checkDeviceParameters } from "../src/fencer/parameters.ts";
import type { OptionSpec } from "../src/terms/index.ts";

/**
 * Whatever can be set is in force, or says that it is not. For each option of each table: where its value changes what is
 * done. An option that is new here has to name such a place, or to be marked as unused, with the reason.
 */
const effects: Readonly<Record<string, readonly [file: string, text: string]>> = {
  "property no-quorum-policy": ["src/scheduler/options.ts", '("no-quorum-policy"'],
  "property dc-deadtime": ["src/controller/leader.ts", '"dc-deadtime"'],
  "property shutdown-lock": ["src/scheduler/options.ts", '("shutdown-lock"'],
  "property shutdown-lock-limit": ["src/scheduler/options.ts", '("shutdown-lock-limit"'],
  "property cluster-name": ["src/scheduler/nodes.ts", '("cluster-name"'],
  "property enable-acl": ["src/cib/acl/permissions.ts", '("enable-acl"'],
  "property fencing-enabled": ["src/scheduler/options.ts", '("fencing-enabled"'],
  "property fencing-action": ["src/scheduler/options.ts", '("fencing-action"'],
  "property fencing-timeout": ["src/scheduler/options.ts", '("fencing-timeout"'],
  "property fencing-max-attempts": ["src/fencer/devices.ts", '("fencing-max-attempts"'],
  "property fencing-reaction": ["src/controller/controller.ts", '"fencing-reaction"'],
  "property concurrent-fencing": ["src/scheduler/options.ts", '("concurrent-fencing"'],
  "property startup-fencing": ["src/scheduler/options.ts", '("startup-fencing"'],
  "property priority-fencing-delay": ["src/scheduler/options.ts", '("priority-fencing-delay"'],
  "property node-pending-timeout": ["src/scheduler/options.ts", '("node-pending-timeout"'],
  "property fence-remote-without-quorum": ["src/scheduler/options.ts", '("fence-remote-without-quorum"'],
  "property symmetric-cluster": ["src/scheduler/options.ts", '("symmetric-cluster"'],
  "property maintenance-mode": ["src/scheduler/options.ts", '("maintenance-mode"'],
  "property stop-all-resources": ["src/scheduler/options.ts", '("stop-all-resources"'],
  "property stop-removed-resources": ["src/scheduler/options.ts", '("stop-removed-resources"'],
  "property cancel-removed-actions": ["src/scheduler/options.ts", '("cancel-removed-actions"'],
  "property start-failure-is-fatal": ["src/scheduler/options.ts", '("start-failure-is-fatal"'],
  "property enable-startup-probes": ["src/scheduler/options.ts", '("enable-startup-probes"'],
  "property placement-strategy": ["src/scheduler/options.ts", '("placement-strategy"'],
  "property cluster-delay": ["src/scheduler/options.ts", '("cluster-delay"'],
  "property cluster-recheck-interval": ["src/controller/leader.ts", '"cluster-recheck-interval"'],
  "property batch-limit": ["src/scheduler/options.ts", '("batch-limit"'],
  "property node-action-limit": ["src/daemon/host-load.ts", '("node-action-limit"'],
  "property migration-limit": ["src/scheduler/options.ts", '("migration-limit"'],
  "property load-threshold": ["src/daemon/host-load.ts", '("load-threshold"'],
  "property remove-after-stop": ["src/scheduler/options.ts", '("remove-after-stop"'],
  "property node-health-strategy": ["src/scheduler/options.ts", '("node-health-strategy"'],
  "property node-health-base": ["src/scheduler/options.ts", '("node-health-base"'],
  "property node-health-green": ["src/scheduler/options.ts", '("node-health-green"'],
  "property node-health-yellow": ["src/scheduler/options.ts", '("node-health-yellow"'],
  "property node-health-red": ["src/scheduler/options.ts", '("node-health-red"'],
  "resource priority": ["src/scheduler/resources.ts", '("priority"'],
  "resource critical": ["src/scheduler/resources.ts", '("critical"'],
  "resource target-role": ["src/scheduler/resources.ts", '("target-role"'],
  "resource is-managed": ["src/scheduler/resources.ts", '("is-managed"'],
  "resource maintenance": ["src/scheduler/resources.ts", '("maintenance"'],
  "resource resource-stickiness": ["src/scheduler/resources.ts", '"resource-stickiness"'],
  "resource requires": ["src/scheduler/resources.ts", '("requires"'],
  "resource migration-threshold": ["src/scheduler/resources.ts", '("migration-threshold"'],
  "resource failure-timeout": ["src/scheduler/resources.ts", '("failure-timeout"'],
  "resource multiple-active": ["src/scheduler/resources.ts", '("multiple-active"'],
  "resource allow-migrate": ["src/scheduler/resources.ts", '("allow-migrate"'],
  "resource allow-unhealthy-nodes": ["src/scheduler/resources.ts", '("allow-unhealthy-nodes"'],
  "resource container-attribute-target": ["src/scheduler/bundle-unpack.ts", '("container-attribute-target"'],
  "resource restart-type": ["src/scheduler/resources.ts", '("restart-type"'],
  "resource remote-node": ["src/scheduler/resources.ts", '("remote-node"'],
  "resource remote-addr": ["src/scheduler/resources.ts", '("remote-addr"'],
  "resource remote-port": ["src/scheduler/resources.ts", '("remote-port"'],
  "resource remote-connect-timeout": ["src/scheduler/resources.ts", '("remote-connect-timeout"'],
  "resource remote-allow-migrate": ["src/scheduler/resources.ts", '("remote-allow-migrate"'],
  "resource provides": ["src/scheduler/device-digests.ts", '("provides")'],
  "clone clone-max": ["src/scheduler/resources.ts", '("clone-max"'],
  "clone clone-node-max": ["src/scheduler/resources.ts", '("clone-node-max"'],
  "clone clone-min": ["src/scheduler/resources.ts", '("clone-min"'],
  "clone notify": ["src/scheduler/resources.ts", '("notify"'],
  "clone globally-unique": ["src/scheduler/resources.ts", '("globally-unique"'],
  "clone ordered": ["src/scheduler/resources.ts", '("ordered"'],
  "clone interleave": ["src/scheduler/resources.ts", '("interleave"'],
  "clone promotable": ["src/scheduler/resources.ts", '("promotable"'],
  "clone promoted-max": ["src/scheduler/resources.ts", '("promoted-max"'],
  "clone promoted-node-max": ["src/scheduler/resources.ts", '("promoted-node-max"'],
  "group ordered": ["src/scheduler/resources.ts", '("ordered"'],
  "group colocated": ["src/scheduler/group-actions.ts", '("colocated"'],
  "op name": ["src/scheduler/operations.ts", '("name")'],
  "op interval": ["src/scheduler/operations.ts", '("interval"'],
  "op timeout": ["src/scheduler/operations.ts", '("timeout"'],
  "op on-fail": ["src/scheduler/operations.ts", '("on-fail"'],
  "op enabled": ["src/scheduler/operations.ts", '("enabled"'],
  "op role": ["src/scheduler/recurring.ts", "role"],
  "op start-delay": ["src/scheduler/operations.ts", '("start-delay"'],
  "op interval-origin": ["src/executor/recurring.ts", "CRM_meta_interval_origin"],
  "op description": ["src/cib/schema.ts", '"description"'],
  "node standby": ["src/scheduler/operations.ts", '"standby",'],
  "node maintenance": ["src/scheduler/status.ts", 'attributeTrue(node, "maintenance")'],
  "node terminate": ["src/scheduler/status.ts", '("terminate"'],
  "node resource-discovery-enabled": ["src/scheduler/status.ts", '("resource-discovery-enabled"'],
  "node site-name": ["src/scheduler/nodes.ts", '("site-name"'],
  "totem.version": ["src/config/table-totem.ts", 'name: "version"'],
  "totem.cluster_name": ["src/daemon/status-reply.ts", "config.totem.clusterName"],
  "totem.config_version": ["src/totem/srp/context.ts", ".configVersion"],
  "totem.transport": ["src/config/table-totem.ts", 'name: "transport"'],
  "totem.token": ["src/totem/srp/formation.ts", ".tokenMs"],
  "totem.token_coefficient": ["src/config/effective.ts", 'value("token_coefficient")'],
  "totem.token_warning": ["src/totem/srp/rotation.ts", ".tokenWarning"],
  "totem.token_retransmits_before_loss_const": [
    "src/config/effective.ts",
    'value("token_retransmits_before_loss_const")',
  ],
  "totem.token_retransmit": ["src/totem/srp/rotation.ts", ".tokenRetransmitMs"],
  "totem.hold": ["src/totem/srp/rotation.ts", ".holdMs"],
  "totem.join": ["src/totem/srp/proposal.ts", ".joinMs"],
  "totem.send_join": ["src/totem/srp/proposal.ts", ".sendJoinMs"],
  "totem.consensus": ["src/totem/srp/neighbours.ts", ".consensusMs"],
  "totem.merge": ["src/totem/srp/neighbours.ts", ".mergeMs"],
  "totem.fail_recv_const": ["src/totem/srp/rotation.ts", ".failRecvConst"],
  "totem.seqno_unchanged_const": ["src/totem/srp/rotation.ts", ".seqnoUnchangedConst"],
  "totem.miss_count_const": ["src/totem/srp/rotation.ts", ".missCountConst"],
  "totem.window_size": ["src/totem/srp/rotation.ts", "windowSize"],
  "totem.max_messages": ["src/totem/srp/rotation.ts", "maxMessages,"],
  "totem.netmtu": ["src/totem/srp/size.ts", ".netmtu"],
  "totem.link_mode": ["src/daemon/setup.ts", "mode: totem.linkMode"],
  "totem.ip_version": ["src/config/check.ts", "values.ip_version"],
  "totem.keyfile": ["src/daemon/ring.ts", "config.totem.keyFile"],
  "totem.block_unlisted_ips": ["src/totem/links.ts", ".blockUnlistedIps"],
  "totem.cancel_token_hold_on_retransmit": ["src/totem/srp/rotation.ts", ".cancelTokenHoldOnRetransmit"],
  "totem.interface.linknumber": ["src/daemon/setup.ts", "links: links.map(({ number,"],
  "totem.interface.mcastport": ["src/daemon/setup.ts", '["mcastport", links.map(({ number, port })'],
  "totem.interface.bindnetaddr": ["src/config/check-machine.ts", "values.bindnetaddr"],
  "totem.interface.knet_link_priority": ["src/daemon/setup.ts", "priority, pingIntervalMs"],
  "totem.interface.knet_ping_interval": ["src/daemon/setup.ts", "pingIntervalMs,"],
  "totem.interface.knet_ping_timeout": ["src/daemon/setup.ts", "pingTimeoutMs,"],
  "totem.interface.knet_pong_count": ["src/daemon/setup.ts", "pongCount,"],
  "nodelist.node.name": ["src/daemon/manager.ts", "config.nodes.map(({ id, name })"],
  "nodelist.node.nodeid": ["src/daemon/manager.ts", "config.nodes.map(({ id, name })"],
  "nodelist.node.quorum_votes": ["src/daemon/ring.ts", "config.nodes.map(({ id, votes })"],
  "nodelist.node.ring0_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring1_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring2_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring3_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring4_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring5_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring6_addr": ["src/config/check.ts", "}_addr`"],
  "nodelist.node.ring7_addr": ["src/config/check.ts", "}_addr`"],
  "quorum.provider": ["src/config/table-quorum.ts", 'name: "provider"'],
  "quorum.expected_votes": ["src/quorum/quorum.ts", ".expectedVotes"],
  "quorum.two_node": ["src/quorum/quorum.ts", ".twoNode"],
  "quorum.wait_for_all": ["src/quorum/quorum.ts", ".waitForAll"],
  "quorum.last_man_standing": ["src/quorum/quorum.ts", ".lastManStanding"],
  "quorum.last_man_standing_window": ["src/quorum/quorum.ts", ".lastManStandingWindowMs"],
  "quorum.auto_tie_breaker": ["src/quorum/quorum.ts", ".autoTieBreaker"],
  "quorum.auto_tie_breaker_node": ["src/quorum/tie-breaker.ts", ".autoTieBreakerNode"],
  "quorum.allow_downscale": ["src/quorum/quorum.ts", ".allowDownscale"],
  "logging.to_syslog": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.to_logfile": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.to_stderr": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.logfile": ["src/daemon/setup.ts", "file: logging.file"],
  "logging.logfile_priority": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.syslog_facility": ["src/daemon/setup.ts", "facility: logging.facility"],
  "logging.syslog_priority": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.debug": ["src/daemon/setup.ts", "thresholds: logging.thresholds"],
  "logging.logger_subsys.subsys": ["src/daemon/setup.ts", "parts: logging.parts"],
  "logging.logger_subsys.logfile_priority": ["src/daemon/setup.ts", "parts: logging.parts"],
  "logging.logger_subsys.syslog_priority": ["src/daemon/setup.ts", "parts: logging.parts"],
  "logging.logger_subsys.debug": ["src/daemon/setup.ts", "parts: logging.parts"],
  "system.state_dir": ["src/daemon/ring.ts", 'join(system.stateDir, "lock")'],
  "system.run_dir": ["src/daemon/ring.ts", "ringSocketPath(runDir)"],
  "system.sched_rr": ["src/daemon/ring-machine.ts", "system.realtime)"],
  "system.priority": ["src/daemon/ring-machine.ts", "enterRealtime(system.realtimePriority)"],
  "system.lock_memory": ["src/daemon/ring-machine.ts", ".lockMemory"],
  "system.watchdog_device": ["src/daemon/ring-machine.ts", "openWatchdog(watchdogDevice"],
  "system.watchdog_timeout": ["src/daemon/ring-machine.ts", "watchdogTimeoutMs / 1000"],
  "system.ocf_path": ["src/executor/ocf.ts", ".ocfPath"],
  "system.fence_path": ["src/daemon/manager.ts", ".fencePath"],
  "system.stonith_plugin_path": ["src/daemon/manager.ts", ".stonithPluginPath"],
  "system.lsb_path": ["src/executor/lsb.ts", ".lsbPath"],
  "system.secrets_dir": ["src/daemon/manager.ts", "config.system.secretsDir"],
  "system.tools_dir": ["src/daemon/executor-environment.ts", ".toolsDir"],
  "system.group": ["src/daemon/manager.ts", "{ runDir, group } = this.setup.config.system"],
  "remote.name": ["src/daemon/remote-mode.ts", "config.remote.name"],
  "remote.listen": ["src/daemon/remote.ts", "listen"],
  "remote.port": ["src/daemon/remote.ts", "remote.port"],
  "remote.keyfile": ["src/daemon/setup.ts", "readRemoteKey"],
  "kdump.listen": ["src/daemon/manager.ts", "config.kdump.listen"],
  "kdump.port": ["src/daemon/manager.ts", "config.kdump.port"],
  "kdump.plain": ["src/daemon/manager.ts", "config.kdump.plain"],
  "sysconfig.PCMK_logfacility": ["src/config/build.ts", "old.PCMK_logfacility"],
  "sysconfig.PCMK_logpriority": ["src/config/build.ts", "old.PCMK_logpriority"],
  "sysconfig.PCMK_logfile": ["src/config/build.ts", "old.PCMK_logfile"],
  "sysconfig.PCMK_debug": ["src/config/build.ts", "isYes(old.PCMK_debug)"],
  "sysconfig.PCMK_stderr": ["src/config/build.ts", "isYes(old.PCMK_stderr)"],
  "sysconfig.HA_LOGFACILITY": ["src/daemon/executor-mode.ts", "HA_LOGFACILITY: logging.agentFacility"],
  "sysconfig.PCMK_node_action_limit": ["src/daemon/executor.ts", "PCMK_node_action_limit"],
  "sysconfig.PCMK_authkey_location": ["src/config/build.ts", "old.PCMK_authkey_location"],
  "sysconfig.PCMK_remote_address": ["src/config/build.ts", "old.PCMK_remote_address"],
  "sysconfig.PCMK_remote_port": ["src/config/build.ts", "old.PCMK_remote_port"],
  "sysconfig.SBD_WATCHDOG_DEV": ["src/config/build.ts", "old.SBD_WATCHDOG_DEV"],
  "sysconfig.SBD_WATCHDOG_TIMEOUT": ["src/config/build.ts", "old.SBD_WATCHDOG_TIMEOUT"],
  "device pcmk_host_argument": ["src/fencer/agent-run.ts", '("pcmk_host_argument")'],
  "device pcmk_host_map": ["src/fencer/devices.ts", 'parseHostMap(device.params.get("pcmk_host_map"))'],
  "device pcmk_host_list": ["src/fencer/devices.ts", '("pcmk_host_list")'],
  "device pcmk_host_check": ["src/fencer/devices.ts", '("pcmk_host_check")'],
  "device pcmk_delay_max": ["src/fencer/parameters.ts", '("pcmk_delay_max")'],
  "device pcmk_delay_base": ["src/fencer/parameters.ts", '("pcmk_delay_base")'],
  "device pcmk_action_limit": ["src/fencer/parameters.ts", '("pcmk_action_limit")'],
  "device hactl_verify_off": ["src/fencer/executions.ts", '("hactl_verify_off")'],
  "device pcmk_reboot_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_reboot_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_reboot_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "device pcmk_off_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_off_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_off_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "device pcmk_on_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_on_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_on_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "device pcmk_list_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_list_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_list_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "device pcmk_monitor_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_monitor_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_monitor_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "device pcmk_status_action": ["src/fencer/agent-run.ts", "}_action`)"],
  "device pcmk_status_timeout": ["src/fencer/parameters.ts", "}_timeout`)"],
  "device pcmk_status_retries": ["src/fencer/parameters.ts", "}_retries`)"],
  "alert timeout": ["src/alerts/configuration.ts", '"timeout"'],
  "alert timestamp-format": ["src/alerts/configuration.ts", '"timestamp-format"'],
  "alert enabled": ["src/alerts/configuration.ts", '"enabled"'],
};

const root = resolve(import.meta.dir, "..");
/** Alerts have no table: their schema names these. */
const tables: readonly (readonly [key: string, options: readonly OptionSpec[]])[] = [
  ["property ", clusterProperties],
  ["resource ", resourceMeta],
  ["clone ", cloneMeta],
  ["group ", groupMeta],
  ["op ", operationOptions],
  ["node ", nodeOptions],
  ["device ", deviceOptions],
  ["alert ", alertMeta],
  ...configTables.map(({ path, options }) => [`${path}.`, options] as const),
];
const all = tables.flatMap(([key, options]) =>
  options.map((option) => ({ key: `${key}${option.name}`, option })),
);
/** What the cluster writes for others to read is nothing that anybody sets. */
const settable = all.filter(({ option }) => option.generated !== true);
const used = settable.filter(({ option }) => option.unused === undefined);

test("every option that can be set changes something that is done, or is marked as unused", () => {
  const without = used.filter(({ key }) => effects[key] === undefined).map(({ key }) => key);
  expect(without).toEqual([]);
  const known = new Set(used.map(({ key }) => key));
  expect(Object.keys(effects).filter((key) => !known.has(key))).toEqual([]);
  expect(used.length).toBeGreaterThan(150);
});

test("the place that is named reads it", () => {
  const texts = new Map<string, string>();
  const textOf = (file: string) => {
    const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
    texts.set(file, text);
    return text;
  };
  const missing = Object.entries(effects).filter(([, [file, text]]) => !textOf(file).includes(text));
  expect(missing).toEqual([]);
});

const options = (set: string, name: string, value: string) =>
  `<${set} id="s"><nvpair id="p" name="${name}" value="${value}"/></${set}>`;

/** A value that fits and is not the default. */
function unlikely({ type, values, default: usual }: OptionSpec): string {
  if (values) return values.find((value) => value !== usual) ?? "";
  if (type === "boolean") return usual === "true" ? "false" : "true";
  return type === "duration" ? "17s" : "17";
}

test("a cluster property without effect is named when it is set, and not when it only says what holds", () => {
  const warned = (name: string, value: string) =>
    verifyCib(
      parseXml(
        `<cib><configuration><crm_config>${options("cluster_property_set", name, value)}</crm_config><nodes/><resources/><constraints/></configuration></cib>`,
      ),
    ).filter(({ code }) => code === "UNUSED_OPTION");
  const unused = clusterProperties.filter((option) => option.unused !== undefined);
  for (const option of unused) {
    const [problem, ...others] = warned(option.name, unlikely(option));
    expect(others).toEqual([]);
    expect(problem?.level).toBe("warning");
    expect(problem?.text).toContain(option.name);
    if (option.default !== undefined) expect(warned(option.name, option.default)).toEqual([]);
  }
  for (const option of clusterProperties.filter((one) => !unused.includes(one)))
    expect(warned(option.name, unlikely(option)).filter(({ text }) => !text.includes(" as "))).toEqual([]);
  expect(warned("stonith-watchdog-timeout", "10s")).toHaveLength(1);
  expect(warned("fence-reaction", "panic")).toHaveLength(1);
});

test("an operation's and a device's option without effect is named, too", () => {
  const cib = parseXml(`<cib><configuration><crm_config/><nodes/><resources>
    <primitive id="a" class="ocf" provider="pacemaker" type="Dummy"><operations>
      <op id="m" name="monitor" interval="10s" record-pending="false"/>
      <op id="n" name="start" interval="0" record-pending="true"/>
    </operations></primitive></resources><constraints/></configuration></cib>`);
  expect(verifyCib(cib).filter(({ code }) => code === "UNUSED_OPTION")).toEqual([
    expect.objectContaining({ level: "warning", id: "m" }),
  ]);
  for (const { name, unused, type } of deviceOptions) {
    const complaints = checkDeviceParameters(new Map([[name, type === "duration" ? "60s" : "2"]]));
    expect(complaints.some((text) => text.includes(name) && text.includes("no effect"))).toBe(
      unused !== undefined,
    );
  }
});

test("each part of the log that can be named says something somewhere", () => {
  const sources = (readdirSync(join(import.meta.dir, "..", "src", "daemon")) as string[]).map((name) =>
    readFileSync(join(import.meta.dir, "..", "src", "daemon", name), "utf8"),
  );
  const names: readonly string[] = subsystemOptions[0].values;
  const silent = new Set(names.map(partNamed)).difference(new Set(["MAIN"]));
  for (const text of sources)
    for (const [, name = ""] of text.matchAll(/(?:part\(|subsystem: )"([A-Z]+)"/g)) silent.delete(name);
  // Of this one the check says that it does nothing.
  expect([...silent]).toEqual(["ATTRIBUTES"]);
});
