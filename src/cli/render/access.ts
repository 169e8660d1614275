import { formatXml, type XmlElement } from "../../cib/index.ts";
import { lookup } from "../../terms/index.ts";

/** What may be done with an element. */
export type Access = "none" | "read" | "write";

/** How access is shown: by colours, by names of elements (still XML), or by lines between them. */
export const accessStyles = ["color", "namespace", "text"] as const;
export type AccessStyle = (typeof accessStyles)[number];

const colours = lookup({ none: "\x1b[31m", read: "\x1b[34m", write: "\x1b[32m" } as const);
const plain = "\x1b[0m";
const words = lookup({ none: "~DENIED~", read: "READABLE", write: "WRITABLE" } as const);
const prefixes = lookup({
  none: "pcmk-access-denied",
  read: "pcmk-access-readable",
  write: "pcmk-access-writable",
} as const);

/** A document with what somebody may do with each of its elements, as `cibadmin --show-access` prints it. */
export function accessText(
  cib: XmlElement,
  access: (item: XmlElement) => Access,
  style: AccessStyle,
  user: string,
): string {
  const body =
    style === "color"
      ? coloured(cib, access, 0).join("\n")
      : style === "text"
        ? marked(cib, access, undefined, 0).join("\n")
        : formatXml(named(cib, access));
  return `<!-- ACLs as evaluated for user ${user} -->\n${body.trimEnd()}\n`;
}

const pad = (depth: number) => "  ".repeat(depth);

/** Tags of an element: the one that begins it, and the one that ends it where there is something in it. */
function tags(item: XmlElement): { readonly begin: string; readonly end: string | undefined } {
  const alone = formatXml({ ...item, children: [] }, -1);
  if (item.children.length === 0) return { begin: alone, end: undefined };
  const { text: _, ...rest } = item;
  const empty = formatXml({ ...rest, children: [] }, -1);
  return { begin: `${empty.slice(0, -2)}>`, end: `</${item.name}>` };
}

function coloured(item: XmlElement, access: (item: XmlElement) => Access, depth: number): string[] {
  const { begin, end } = tags(item);
  const colour = `${pad(depth)}${colours[access(item)]}`;
  if (end === undefined) return [`${colour}${begin}${plain}`];
  const inner = item.children.flatMap((child) => coloured(child, access, depth + 1));
  return [`${colour}${begin}`, ...inner, `${colour}${end}${plain}`];
}

/** A line before each element that may be used otherwise than the one around it. */
function marked(
  item: XmlElement,
  access: (item: XmlElement) => Access,
  around: Access | undefined,
  depth: number,
): string[] {
  const own = access(item);
  const mark = own === around ? [] : [`${pad(depth)}vvv---[ ${words[own]} ]---vvv`];
  const apart = mark.length > 0 && around !== undefined ? [pad(depth)] : [];
  const { begin, end } = tags(item);
  const inner = item.children.flatMap((child) => marked(child, access, own, depth + 1));
  return [
    ...apart,
    ...mark,
    `${pad(depth)}${begin}`,
    ...inner,
    ...(end === undefined ? [] : [`${pad(depth)}${end}`]),
  ];
}

function named(root: XmlElement, access: (item: XmlElement) => Access): XmlElement {
  const visit = (item: XmlElement, around: Access | undefined): XmlElement => {
    const own = access(item);
    const name = own === around ? item.name : `${prefixes[own]}:${item.name}`;
    return { ...item, name, children: item.children.map((child) => visit(child, own)) };
  };
  const marked = visit(root, undefined);
  const spaces = [
    ["writable", prefixes.write],
    ["readable", prefixes.read],
    ["denied", prefixes.none],
  ] as const;
  const attributes = new Map(root.attributes);
  for (const [word, prefix] of spaces)
    attributes.set(`xmlns:${prefix}`, `http://clusterlabs.org/ns/pacemaker/access/${word}`);
  return { ...marked, attributes };
}
