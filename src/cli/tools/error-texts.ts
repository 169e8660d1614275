interface Code {
  readonly name: string;
  readonly text: string;
}

const table = (rows: readonly (readonly [code: number, name: string, text: string])[]) =>
  Object.fromEntries(rows.map(([code, name, text]) => [code, { name, text }])) as Readonly<
    Record<number, Code>
  >;

/** Return codes of Pacemaker's library (`pcmk_rc_e`), which some logs show. */
export const returnCodeTexts = table([
  [0, "pcmk_rc_ok", "OK"],
  [-1001, "pcmk_rc_error", "Error"],
  [-1002, "pcmk_rc_unknown_format", "Unknown output format"],
  [-1003, "pcmk_rc_bad_nvpair", "Invalid name/value pair"],
  [-1004, "pcmk_rc_already", "Already in that state"],
  [-1005, "pcmk_rc_node_unknown", "Unknown node"],
  [-1006, "pcmk_rc_multiple", "Active on several nodes"],
  [-1007, "pcmk_rc_cib_corrupt", "Stored configuration not readable"],
  [-1008, "pcmk_rc_cib_save", "Configuration not saved"],
  [-1009, "pcmk_rc_cib_backup", "Previous configuration not kept"],
  [-1010, "pcmk_rc_cib_modified", "Stored configuration changed by hand"],
  [-1011, "pcmk_rc_diff_resync", "Difference does not fit, full copy needed"],
  [-1012, "pcmk_rc_diff_failed", "Difference does not fit"],
  [-1013, "pcmk_rc_old_data", "The update is older than what is there"],
  [-1014, "pcmk_rc_transform_failed", "Schema transformation failed"],
  [-1015, "pcmk_rc_schema_unchanged", "Schema is the newest already"],
  [-1016, "pcmk_rc_schema_validation", "The update does not fit the schema"],
  [-1017, "pcmk_rc_no_quorum", "Quorum is needed"],
  [-1018, "pcmk_rc_ipc_unauthorized", "Socket held by a process that may not"],
  [-1019, "pcmk_rc_ipc_unresponsive", "Daemon does not answer"],
  [-1020, "pcmk_rc_ipc_pid_only", "Daemon runs but takes no connections"],
  [-1021, "pcmk_rc_op_unsatisfied", "A condition is not met"],
  [-1022, "pcmk_rc_undetermined", "The result is not known"],
  [-1023, "pcmk_rc_before_range", "Before the range"],
  [-1024, "pcmk_rc_within_range", "Within the range"],
  [-1025, "pcmk_rc_after_range", "After the range"],
  [-1026, "pcmk_rc_no_output", "No output"],
  [-1027, "pcmk_rc_no_input", "Input file missing or not readable"],
  [-1028, "pcmk_rc_underflow", "Number too small"],
  [-1029, "pcmk_rc_dot_error", "dot file not written"],
  [-1030, "pcmk_rc_graph_error", "Graph file not written"],
  [-1031, "pcmk_rc_invalid_transition", "Simulated transition is invalid"],
  [-1032, "pcmk_rc_unpack_error", "CIB not understood"],
  [-1033, "pcmk_rc_duplicate_id", "An id is not unique"],
  [-1034, "pcmk_rc_disabled", "Switched off"],
  [-1035, "pcmk_rc_bad_input", "Input not usable"],
  [-1036, "pcmk_rc_bad_xml_patch", "Difference of a format that is not known"],
  [-1037, "pcmk_rc_no_transaction", "No transaction is open"],
  [-1038, "pcmk_rc_ns_resolution", "Name not resolved"],
  [-1039, "pcmk_rc_compression", "Not packed or unpacked"],
  [-1040, "pcmk_rc_no_dc", "No DC is elected"],
  [-1041, "pcmk_rc_ipc_more", "More of the message is to come"],
  [-1042, "pcmk_rc_cs_internal", "The cluster layer failed"],
  [-1043, "pcmk_rc_digest_mismatch", "Digests differ"],
]);

/** Return codes of the library's old functions, with the newer codes that mean the same. */
const legacy: readonly (readonly [code: number, name: string, newer: number])[] = [
  [201, "pcmk_err_generic", -1001],
  [202, "pcmk_err_no_quorum", -1017],
  [203, "pcmk_err_schema_validation", -1016],
  [204, "pcmk_err_transform_failed", -1014],
  [205, "pcmk_err_old_data", -1013],
  [206, "pcmk_err_diff_failed", -1012],
  [207, "pcmk_err_diff_resync", -1011],
  [208, "pcmk_err_cib_modified", -1010],
  [209, "pcmk_err_cib_backup", -1009],
  [210, "pcmk_err_cib_save", -1008],
  [211, "pcmk_err_schema_unchanged", -1015],
  [212, "pcmk_err_cib_corrupt", -1007],
  [213, "pcmk_err_multiple", -1006],
  [214, "pcmk_err_node_unknown", -1005],
  [215, "pcmk_err_already", -1004],
  [216, "pcmk_err_bad_nvpair", -1003],
  [217, "pcmk_err_unknown_format", -1002],
];
export const legacyTexts = table(
  legacy.map(([code, name, newer]) => [code, name, returnCodeTexts[newer]?.text ?? ""] as const),
);
