/** Resources that are one service of a host are told of, however each of them spells it. */
import { describe, expect, test } from "bun:test";
import { parseXml, verifyCib } from "../../src/cib/index.ts";

/** Ids that are told of among resources `ID CLASS:TYPE`. */
const shared = (resources: string, constraints = ""): string[] => {
  const primitives = resources.split(", ").map((text) => {
    const [, id, standard, type] = /^(\S+) ([^:]+):(.*)$/.exec(text) ?? [];
    return `<primitive id="${id}" class="${standard}" type="${type}"/>`;
  });
  const cib = `<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/>
<resources>${primitives.join("")}</resources><constraints>${constraints}</constraints></configuration><status/></cib>`;
  return verifyCib(parseXml(cib)).flatMap(({ code, level, id = "", text, cure }) => {
    if (code !== "SHARED_SERVICE") return [];
    expect([level, cure === undefined]).toEqual(["warning", false]);
    expect(text).toContain(`"${id}" and "a" are both the`);
    return id;
  });
};

describe("several resources for one service", () => {
  test.each([
    ["a systemd:ua, b systemd:ua", ["b"]],
    ["a systemd:ua, b systemd:ua.service, c service:ua", ["b", "c"]],
    ["a lsb:x, b service:x", ["b"]],
    ["a lsb:x, b lsb:x", ["b"]],
    ["a systemd:ua, b systemd:ua.socket", []],
    ["a systemd:ua@1, b systemd:ua@2", []],
    ["a lsb:x, b systemd:x", []],
    ["a systemd:ua, b lsb:ub", []],
  ])("%s: %p", (resources, expected) => expect(shared(resources)).toEqual(expected));

  test("are left to who says where each is looked for", () => {
    const apart = (discovery: string) =>
      `<rsc_location id="l" rsc="b" node="n1" score="INFINITY" resource-discovery="${discovery}"/>`;
    expect(shared("a systemd:ua, b systemd:ua", apart("exclusive"))).toEqual([]);
    expect(shared("a systemd:ua, b systemd:ua", apart("always"))).toEqual(["b"]);
  });
});
