/** What stands in the CIB for a parameter whose value is kept in a file on each node (cibsecret(8)). */
export const secretReference = "lrm://";
