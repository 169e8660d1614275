/** Elements that hold other resources. */
export const containerKinds: ReadonlySet<string> = new Set(["group", "clone", "master", "bundle"]);
/** Elements that are resources. */
export const resourceKinds: ReadonlySet<string> = new Set(["primitive", ...containerKinds]);
/** Elements that stand for themselves in `<resources>`: templates, too. */
export const definitionKinds: ReadonlySet<string> = new Set(["template", ...resourceKinds]);
/** Elements of a bundle that name the runtime of its containers. */
export const bundleRuntimes: ReadonlySet<string> = new Set(["docker", "podman", "rkt"]);

/** Attributes by which a constraint names a resource. */
export const constraintNames: readonly string[] = ["rsc", "with-rsc", "first", "then"];
