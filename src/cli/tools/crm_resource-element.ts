import { type CibOperation, cloneElement, formatXml, type XmlElement } from "../../cib/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { resourceNamed } from "../resources.ts";
import { usage } from "./connection.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";

/** --element with -p and -v: sets an attribute of the resource's own element, as its description. */
export async function setElementAttribute(call: ResourceCall): Promise<number> {
  const name = call.given.value("set-parameter") ?? "";
  const value = call.given.value("parameter-value");
  if (value === undefined) throw usage("crm_resource", "You need to supply a value with the -v option");
  await change(call, ({ attributes }) => attributes.set(name, value));
  call.answer.info(`Set attribute: name=${name} value=${value}`);
  return CrmExit.OK;
}

/** --element with -d. One that is not there is no error. */
export async function deleteElementAttribute(call: ResourceCall): Promise<number> {
  const name = call.given.value("delete-parameter") ?? "";
  await change(call, ({ attributes }) => attributes.delete(name));
  call.answer.info(`Deleted attribute: ${name}`);
  return CrmExit.OK;
}

/** The element is put in place anew: that counts as a change even when it says the same. */
async function change(call: ResourceCall, edit: (draft: XmlElement) => void): Promise<void> {
  const { xml } = resourceNamed(await call.session.configuration(), requiredResource(call));
  const draft = cloneElement(xml);
  edit(draft);
  const text = formatXml(draft, -1);
  const replace: CibOperation = { op: "replace", scope: "resources", xml: text };
  const same = text === formatXml(xml, -1) && !call.session.isLive;
  await call.session.apply(same ? [replace, { op: "bump" }] : [replace], "crm_resource", {
    force: call.given.has("force"),
  });
}
