/** The version of Pacemaker whose interfaces agents and tools find here. */
export const PACEMAKER_VERSION = "3.0.0";
