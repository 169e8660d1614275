/**
 * A table that is asked by names from outside. It has what was put in and nothing that every object has: a resource may
 * be called `constructor`, a property `__proto__`. Tables that are not constant are Maps.
 */
export const lookup = <const Table extends object>(entries: Table): Table =>
  Object.freeze(Object.assign(Object.create(null), entries));
