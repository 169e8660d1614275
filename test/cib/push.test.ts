import { describe, expect, test } from "bun:test";
import { formatCrm, loadCrm } from "../../src/cib/index.ts";

const members = "primitive A ocf:pacemaker:Dummy\nprimitive B ocf:pacemaker:Dummy\n";
const pushed = (before: string, after: string) =>
  formatCrm(loadCrm(after, loadCrm(members + before, undefined, "update"), "push")).trim();

describe("text that takes the place of all that there is", () => {
  test.each([
    ["group G A B", ""],
    ["clone C A", ""],
    ["group G A B\nclone C G", ""],
    ["group G A B\nclone C G", "group G A B"],
    ["group G A B\nclone C G", "clone C A"],
    ["group G A B", "location l A 100: n1"],
    ["group G A B", "group H A B"],
    ["group G A B", "group G B"],
    ["clone C A", "clone D A"],
    ["clone C A", "group G A B"],
  ])("keeps what it defines when a container goes or changes: %j becomes %j", (before, after) => {
    expect(pushed(before, members + after)).toBe(loadedAlone(members + after));
  });

  test("removes what it does not define, with its container", () => {
    const [first = ""] = members.split("\n");
    expect(pushed("group G A B", first)).toBe(first);
  });
});

const loadedAlone = (text: string) => formatCrm(loadCrm(text, undefined, "update")).trim();
