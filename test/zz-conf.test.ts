import { test } from "bun:test";
import { readdirSync, writeFileSync, readFileSync } from "node:fs";
import { runHere } from "/work/wt/xml/test/cli/rehearsal.ts";
const dir = "/work/peers/pacemaker/cts/scheduler/xml";
const api = process.env.API ?? "2.42";
const schema = process.env.SCHEMA ?? "";
test("all", async () => {
  const files = readdirSync(dir).filter((n) => n.endsWith(".xml"));
  const names: string[] = [];
  const codes: Record<string, number> = {};
  for (const f of files) {
    const p = `${dir}/${f}`;
    const first = /<(?:primitive|group|clone|bundle|master) [^>]*\bid="([^"]+)"/.exec(readFileSync(p, "utf8"))?.[1] ?? "x";
    for (const [k, words] of Object.entries({
      mon: ["crm_mon", "--include=all", "--output-as=xml"],
      grp: ["crm_mon", "-r", "-n", "--output-as=xml"],
      sim: ["crm_simulate", "-x", p, "-S", "-s", "-U", "--output-as=xml"],
      list: ["crm_resource", "-L", "--output-as=xml"],
      ops: ["crm_resource", "-O", "--output-as=xml"],
      why: ["crm_resource", "-Y", "--output-as=xml"],
      con: ["crm_resource", "-A", "-r", first, "--output-as=xml"],
      loc: ["crm_resource", "-W", "-r", first, "--output-as=xml"],
      q: ["crm_resource", "-q", "-r", first, "--output-as=xml"],
      ver: ["crm_verify", "-x", p, "-V", "--output-as=xml"],
      nod: ["crmadmin", "-N", "--output-as=xml"],
      tic: ["crm_ticket", "-l", "--output-as=xml"],
      tcc: ["crm_ticket", "-c", "--output-as=xml"],
    })) {
      let r;
      try { r = await runHere(words, { CIB_file: p, HACTL_API_VERSION: api, HACTL_CONFIG: "/nonexistent" }); }
      catch (e) { console.log("THROWN", k, f, String(e).slice(0, 200)); continue; }
      codes[`${k} ${r.code}`] = (codes[`${k} ${r.code}`] ?? 0) + 1;
      const name = `${k}-${f}`;
      writeFileSync(`/tmp/xml/conf/${name}`, r.out);
      names.push(name);
    }
  }
  console.log(codes);
  let bad = 0;
  for (let at = 0; at < names.length; at += 400) {
    const part = names.slice(at, at + 400);
    const { stderr } = Bun.spawnSync(["xmllint", "--noout", "--relaxng", schema, ...part], { cwd: "/tmp/xml/conf" });
    const said = stderr.toString();
    for (const n of part) if (!said.includes(`${n} validates`)) { bad++; if (bad < 40) console.log("BAD", n, said.split("\n").filter((l) => l.startsWith(n)).slice(0, 2).join(" | ")); }
  }
  console.log("documents", names.length, "invalid", bad);
}, 900000);
