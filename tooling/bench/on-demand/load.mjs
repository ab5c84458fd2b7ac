// Node looks for a package from the file that imports it: from here, among what was installed on demand.

/** The namespace of a package of this folder. */
export const load = (name) => import(name)
