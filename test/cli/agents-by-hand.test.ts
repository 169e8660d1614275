/** crm_resource --force-… and --validate: what an agent says is told to who runs it by hand. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { hactl } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-by-hand-"));
const file = join(directory, "cib.xml");
const config = join(directory, "hactl.toml");
afterAll(() => rmSync(directory, { recursive: true }));

mkdirSync(join(directory, "ocf/test"), { recursive: true });
// As the functions of resource-agents log: to standard error where no other place is named.
writeFileSync(
  join(directory, "ocf/test/Loud"),
  `#!/bin/sh
case $1 in
meta-data) echo '<resource-agent name="Loud"><parameters/><actions/></resource-agent>'; exit 0;;
esac
[ -z "$HA_LOGFACILITY$HA_LOGFILE" ] && echo "INFO: $1 of $OCF_RESKEY_word <&>" >&2
[ "$HA_debug" = 1 ] && echo "DEBUG: more" >&2
[ "$OCF_TRACE_RA" = 1 ] && echo "TRACE: $OCF_TRACE_FILE" >&2
echo "level \${OCF_CHECK_LEVEL:-none}"
case $1 in
monitor) exit 7;;
validate-all) echo "ocf-exit-reason:no such word" >&2; exit 6;;
esac
`,
  { mode: 0o755 },
);
writeFileSync(
  join(directory, "ocf/test/Still"),
  '#!/bin/sh\n[ "$1" = monitor ] && echo "ERROR: it hangs" >&2 && exec sleep 60\n',
  { mode: 0o755 },
);
writeFileSync(join(directory, "key"), "k".repeat(1024), { mode: 0o400 });
writeFileSync(
  config,
  `[totem]
cluster_name = "c"
keyfile = "${directory}/key"
[[nodelist.node]]
name = "${hostname()}"
nodeid = 1
ring0_addr = "127.0.0.1"
[system]
ocf_path = ["${directory}/ocf"]
run_dir = "${directory}/run"
state_dir = "${directory}/state"
`,
);
writeFileSync(
  file,
  `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes><resources>
  <primitive id="loud" class="ocf" provider="test" type="Loud"><instance_attributes id="i"><nvpair id="i1" name="word" value="one"/></instance_attributes></primitive>
  <primitive id="still" class="ocf" provider="test" type="Still"/></resources><constraints/></configuration><status/></cib>`,
);

const run = (words: string) =>
  hactl(["crm_resource", ...words.split(" ")], { CIB_file: file, HACTL_CONFIG: config });

describe("an agent that is run by hand", () => {
  test("is heard with all that it says, on standard output and error", async () => {
    expect(await run("-r loud --force-check")).toEqual({
      code: 7,
      out: "Operation force-check for loud (ocf:test:Loud) returned 7 (Not running)\nlevel none\n\nINFO: monitor of one <&>\n\n",
      err: "crm_resource: Error performing operation: Not running\n",
    });
    const { out } = await run("-r loud --validate");
    expect(out).toStartWith("Operation validate for loud (ocf:test:Loud) returned 6 (");
    expect(out).toContain(": no such word)\n");
    expect(out).toEndWith("INFO: validate-all of one <&>\nocf-exit-reason:no such word\n\n");
    // With --quiet only what it says itself.
    expect((await run("-Q -r loud --force-check")).out).toBe("level none\n\nINFO: monitor of one <&>\n\n");
  });

  test("is heard in a document, too, with what was given in place of its configuration", async () => {
    const { out, code } = await run("-r loud --force-check word=two --output-as=xml");
    expect(code).toBe(7);
    const root = parseXml(out);
    const texts = (xpath: string) => selectXpath(root, xpath).map(({ element }) => element.text);
    const attributes = (xpath: string) =>
      selectXpath(root, xpath).map(({ element }) => Object.fromEntries(element.attributes));
    expect(attributes("//resource-agent-action")[0]?.action).toBe("force-check");
    expect(attributes("//overrides/override")).toEqual([{ rsc: "loud", name: "word", value: "two" }]);
    expect(attributes("//command/output")).toEqual([{ source: "stdout" }, { source: "stderr" }]);
    expect(texts("//command/output")).toEqual(["level none\n", "INFO: monitor of two <&>\n"]);
    expect(texts("//errors/error")).toEqual(["crm_resource: Error performing operation: Not running"]);
    const plain = parseXml((await run("-r loud --force-check --output-as=xml")).out);
    expect(selectXpath(plain, "//resource-agent-action/overrides")).toHaveLength(1);
  });

  test("is named with its parameters, too; only words beside the options are told as such that count before", async () => {
    const agent = "--force-check --class ocf --provider test --agent Loud";
    expect((await run(`${agent} --option word=three`)).out).toBe(
      "Operation force-check (ocf:test:Loud) returned 7 (Not running)\nlevel none\n\nINFO: monitor of three <&>\n\n",
    );
    expect((await run(`${agent} --option word=three word=four`)).out).toStartWith(
      "Overriding the cluster configuration with 'word' = 'four'\nOperation force-check (ocf:test:Loud) returned 7 (Not running)\nlevel none\n\nINFO: monitor of four",
    );
  });

  test("says more with -V and each step with -VV, and looks as thoroughly as it is told", async () => {
    expect((await run("-r loud --force-check -V")).out).toContain("\nDEBUG: more\n");
    const { out } = await run("-r loud --force-check=20 -VV");
    expect(out).toContain("\nTRACE: /dev/stderr\n");
    expect(out).toContain("\nlevel 20\n");
    expect((await run("-r loud --force-check=deep")).code).toBe(64);
  });

  test("is heard, and could not be executed, where its time was over", async () => {
    const { code, out, err } = await run("-r still --force-check -T 300ms");
    expect(code).not.toBe(0);
    expect(out).toBe("ERROR: it hangs\n\n");
    expect(err).toContain(
      "Operation force-check for still (ocf:test:Still) could not be executed (Timed out",
    );
  });
});
