import { read } from "../terms/index.ts";

/**
 * A change of the CIB as it travels through the ring: plain JSON, with XML as text. What `cibadmin` can do
 * (cibadmin(8)). A list of operations is applied as a whole or not at all.
 *
 * `xml` is the element to work with. Without `scope` or `xpath` its place follows from its name: `<cib>` and the
 * sections are found where they are, another element (a `<primitive>`) within the section that it belongs to.
 * `scope` names the section that holds it (`resources`, `crm_config`, …; `configuration`, `status`, `cib` too);
 * `xpath` finds the parent for `create` and the element itself for the others.
 */
export type CibOperation =
  /** Adds an element. Error `EXISTS` when one with its name and id is there. */
  | { readonly op: "create"; readonly xml: string; readonly scope?: string; readonly xpath?: string }
  /** Merges attributes and children, by name and id, into what is there; with `create` what is not there is added. */
  | {
      readonly op: "modify";
      readonly xml: string;
      readonly scope?: string;
      readonly xpath?: string;
      readonly create?: boolean;
    }
  /** Puts the element in place of the one with its name and id; of a whole section, or of the whole `<cib>`. */
  | {
      readonly op: "replace";
      readonly xml: string;
      readonly scope?: string;
      readonly xpath?: string;
      readonly create?: boolean;
    }
  /**
   * Removes the first element with that name and these attributes, whatever is in it, or what `xpath` finds. With a
   * section's own name and that section as `scope`, what is in it says what shall go. Nothing found is no error.
   */
  | {
      readonly op: "delete";
      readonly xml?: string;
      readonly scope?: string;
      readonly xpath?: string;
      /** All that `xpath` finds instead of the first. */
      readonly all?: boolean;
    }
  /** Applies a `<diff>` of format 2, as `crm_diff` writes it; `admin_epoch` and `epoch` of its source must be ours. */
  | { readonly op: "patch"; readonly xml: string }
  /** Empties the configuration, and the status but where the cluster runs; counts `admin_epoch` up. */
  | { readonly op: "erase" }
  /**
   * This configuration counts, although a newer one was lost (`hactl status` says so): raises `admin_epoch`, so that no
   * copy of another node takes its place.
   */
  | { readonly op: "accept" }
  /** Only counts `epoch` up. */
  | { readonly op: "bump" }
  /** Changes nothing; error `OLD` when the configuration is not at this version (`admin_epoch.epoch`) any more. */
  | { readonly op: "require"; readonly adminEpoch: number; readonly epoch: number };

/** Most characters of a document that an operation brings. */
const longestXml = 64 * 1024 * 1024;
const xml = read.text(longestXml);
const path = { scope: read.maybe(read.name), xpath: read.maybe(read.text(64 * 1024)) };
const epoch = read.whole(0, Number.MAX_SAFE_INTEGER);

/**
 * Reads an operation from outside: one that is not refused has all that it needs and nothing else. What its XML says is
 * looked at when it is applied.
 */
export const readCibOperation = read.variants<CibOperation, "op">("op", {
  create: { xml, ...path },
  modify: { xml, ...path, create: read.maybe(read.flag) },
  replace: { xml, ...path, create: read.maybe(read.flag) },
  delete: { xml: read.maybe(xml), ...path, all: read.maybe(read.flag) },
  patch: { xml },
  erase: {},
  accept: {},
  bump: {},
  require: { adminEpoch: epoch, epoch },
});
