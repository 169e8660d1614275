import { element } from "../../cib/index.ts";
import { plainValues } from "../../terms/index.ts";
import type { Message } from "../answer/index.ts";

/** An attribute as tools tell it: where it stands (a section of the CIB, or a node) with its name and value. */
export interface ToldAttribute {
  readonly name: string;
  readonly value: string;
  readonly scope?: string;
  /** Id of its pair, where it was asked for by that. */
  readonly id?: string | undefined;
  /** The node that has it. */
  readonly host?: string;
}

/** An attribute of a section: `scope= name= value=`, or only its value with `quiet`. */
export const attributeMessage = (told: ToldAttribute, quiet = false): Message => ({
  text: () => {
    const { name, value, scope, id } = plainValues(told);
    return quiet
      ? value
      : `scope=${scope}  ${id === undefined ? "" : `id=${id} `}name=${name} value=${value}`;
  },
  xml: () => [attributeElement(told)],
});

/** An attribute of a node in the table of all nodes. */
export const hostAttributeMessage = (told: ToldAttribute): Message => ({
  text: () => {
    const { name, host, value } = plainValues(told);
    return `name="${name}" host="${host}" value="${value}"`;
  },
  xml: () => [attributeElement(told)],
});

const attributeElement = ({ name, value, scope, id, host }: ToldAttribute) =>
  element("attribute", { name, value, scope, id, host });
