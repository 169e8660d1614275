import { describe, expect, test } from "bun:test";
import { examineCrm, formatXml, loadCrm } from "../../src/cib/index.ts";

/** All mistakes of a text are told at once, and none that only follows from another. */

const base = loadCrm(
  `primitive PX ocf:pacemaker:Dummy
primitive P2 ocf:pacemaker:Dummy
group GG PX P2
clone CP P3
primitive P3 ocf:pacemaker:Dummy
`,
  undefined,
  "replace",
);
/** Mistakes of a text, each with its line. */
const mistakes = (text: string) =>
  examineCrm(text, base, "update").errors.map(({ what, where }) => `${where?.line}: ${what}`);

describe("a statement that cannot be read", () => {
  test("keeps no reference of the others from being looked at", () => {
    expect(
      mistakes(`primitive A ocf:pacemaker:Dummy
order o1 A Z9
foo bar
group G A QQ
role R read ref:NO
primitive D @nix
`),
    ).toEqual([
      `2: constraint "o1" names resource "Z9", which does not exist`,
      `3: unknown statement "foo"`,
      `4: group "G" names resource "QQ", which does not exist`,
      `5: permission "R-0" refers to "NO", which does not exist`,
      `6: resource "D" refers to template "nix", which does not exist`,
    ]);
  });

  test.each([
    ["primitive X", "order o1 P2 X\n"],
    ["primitve X ocf:pacemaker:Dummy", "order o1 P2 X\n"],
    ["primitive 'X' ocf:pacemaker:Dummy params a=\"b", "order o1 P2 X\n"],
    ['xml <primitive id="X" class="ocf"', "order o1 P2 X\n"],
    ["xml <nothing id='X'/>", "order o1 P2 X\n"],
    ["primitive X ocf:pacemaker:Dummy op", "group G2 X\n"],
    ["primitive X ocf:pacemaker:Dummy op", "group G2 X\nclone C2 G2\norder o1 P2 C2\n"],
    ["primitive X ocf:pacemaker:Dummy op", "monitor X 10s\n"],
    [
      "primitive X ocf:pacemaker:Dummy op",
      "primitive Y ocf:pacemaker:Dummy params $id-ref=X-instance_attributes\n",
    ],
    ["primitive Y ocf:pacemaker:Dummy meta $id=X a=1 op", "primitive Z ocf:pacemaker:Dummy meta $id-ref=X\n"],
    ["rsc_template X ocf:pacemaker:Dummy op", "primitive Y @X\n"],
    ["role X permit xpath:/cib", "acl_target joe X\n"],
    ["user X permit xpath:/cib", "acl_target joe auto-X\n"],
  ])("counts as if it had defined what it would: %s", (broken, rest) => {
    const found = mistakes(`${broken}\n${rest}`);
    expect(found.map((text) => text.slice(0, 2))).toEqual(["1:"]);
  });

  test("does not count as if it had defined what is only called alike, or what it refers to", () => {
    const text = "primitive X ocf:pacemaker:Dummy params a=foo op\norder o1 P2 X-2\norder o2 P2 foo\n";
    expect(mistakes(text).slice(1)).toEqual([
      `2: constraint "o1" names resource "X-2", which does not exist`,
      `3: constraint "o2" names resource "foo", which does not exist`,
    ]);
  });
});

describe("a block of values", () => {
  test.each([
    ["rsc_defaults resource-stickiness=10 $id=rd", '1: "$id" comes too late'],
    ["primitive N ocf:pacemaker:Dummy params state=/x $id-ref=y", '1: "$id-ref" comes too late'],
    ["primitive N ocf:pacemaker:Dummy params state:id-of-set", '1: "state:id-of-set" is no parameter'],
    ["primitive N ocf:pacemaker:Dummy # mine", '1: "#" begins a comment only at the beginning of a line'],
    ["primitive N ocf:pacemaker:Dummy params $a:b:c", '1: "$a:b:c" is no parameter'],
  ])("has its name first, and values: %s", (text, mistake) => {
    expect(mistakes(`${text}\n`)).toEqual([mistake]);
  });
});

describe("a container that cannot hold what it names", () => {
  test.each([
    ["clone CX PX", `1: resource "PX" is in group "GG" already`],
    ["group G2 P3", `1: resource "P3" is in clone "CP" already`],
    ["group G2 CP", `1: a group cannot hold a clone ("CP")`],
    ["clone CX NX", `1: clone "CX" names resource "NX", which does not exist`],
    ["primitive N ocf:pacemaker:Dummy\ngroup G2 N N", `2: resource "N" is in group "G2" already`],
    // Of what is there already, too.
    ["clone CP PX", `1: resource "PX" is in group "GG" already`],
    ["group GG NX", `1: group "GG" names resource "NX", which does not exist`],
  ])("is told of once, and leaves nothing half made: %s", (text, mistake) => {
    const { configuration, errors, readable } = examineCrm(`${text}\n`, base, "update");
    expect(errors.map(({ what, where }) => `${where?.line}: ${what}`)).toEqual([mistake]);
    expect([formatXml(configuration).includes("crm:member"), readable]).toEqual([false, false]);
  });

  test("is told of with all that is wrong in it and in others", () => {
    expect(mistakes("group G2 PX NX P3\ngroup G3 N3\norder o1 G2 G3\norder o2 G2 G4\n")).toEqual([
      `1: resource "PX" is in group "GG" already`,
      `1: group "G2" names resource "NX", which does not exist`,
      `1: resource "P3" is in clone "CP" already`,
      `2: group "G3" names resource "N3", which does not exist`,
      `4: constraint "o2" names resource "G4", which does not exist`,
    ]);
  });
});
