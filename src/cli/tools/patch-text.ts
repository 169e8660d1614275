import { child, childrenOf, formatXml, type XmlElement } from "../../cib/index.ts";

/**
 * A `<diff>` of format 2 in lines, as Pacemaker's tools print one: the two versions; `--` what goes, `+` attributes that
 * change, `++` what comes, `+~` what moves.
 */
export function patchLines(diff: XmlElement): string[] {
  return [...versionLines(child(diff, "version")), ...childrenOf(diff, "change").flatMap(changeLines)];
}

function versionLines(version: XmlElement | undefined): string[] {
  const text = (name: string) => {
    const { attributes } = child(version, name) ?? { attributes: new Map<string, string>() };
    return ["admin_epoch", "epoch", "num_updates"].map((part) => attributes.get(part) ?? "0").join(".");
  };
  if (version === undefined) return [];
  const [source, target] = [text("source"), text("target")];
  return source === target
    ? [`  : Local-only Change: ${source}`]
    : [`Diff: --- ${source} 2`, `Diff: +++ ${target} (no digest)`];
}

function changeLines(change: XmlElement): string[] {
  const path = change.attributes.get("path") ?? "";
  switch (change.attributes.get("operation")) {
    case "delete":
      return [`-- ${path}`];
    case "move":
      return [`+~ ${path} moved to offset ${change.attributes.get("position") ?? "0"}`];
    case "create":
      return change.children.flatMap((fresh) => {
        const [first = "", ...more] = formatXml(fresh).trimEnd().split("\n");
        const indent = " ".repeat(path.length + 3);
        return [`++ ${path}:  ${first}`, ...more.map((row) => `++ ${indent}${row}`)];
      });
    default:
      return attributeLines(path, childrenOf(child(change, "change-list"), "change-attr"));
  }
}

function attributeLines(path: string, changes: readonly XmlElement[]): string[] {
  const of = (operation: string) =>
    changes.filter(({ attributes }) => attributes.get("operation") === operation);
  const name = ({ attributes }: XmlElement) => `@${attributes.get("name")}`;
  const set = of("set").map((one) => `${name(one)}=${one.attributes.get("value") ?? ""}`);
  const unset = of("unset").map(name);
  return [
    ...(set.length > 0 ? [`+  ${path}:  ${set.join(", ")}`] : []),
    ...(unset.length > 0 ? [`-- ${path}:  ${unset.join(", ")}`] : []),
  ];
}
