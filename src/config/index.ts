/** hactl.toml: one table of options, the checks, the effective values, import of other programs' files. */
export { type ConfigChange, configChanges } from "./changes.ts";
export { canonicalAddress } from "./check.ts";
export { keyBytes } from "./check-machine.ts";
export { type Explanation, explainTotem } from "./effective.ts";
export { showConfig } from "./effective-text.ts";
export type {
  ConfigFacility,
  ConfigLevel,
  EffectiveTotem,
  HactlConfig,
  KdumpConfig,
  LevelThresholds,
  LinkConfig,
  LoggingConfig,
  NodeConfig,
  QuorumConfig,
  RemoteConfig,
  SysconfigConfig,
  SystemConfig,
  TotemConfig,
} from "./face.ts";
export {
  type Imported,
  type ImportNote,
  type ImportSources,
  importClusterConf,
  importConfig,
  importCorosync,
  importSysconfig,
} from "./import.ts";
export {
  type CheckedConfig,
  checkConfig,
  configFile,
  defaultConfigFile,
  loadConfig,
  loadConfigFile,
  loggingBy,
  readConfigText,
} from "./load.ts";
export { type ConfigContext, type MachineFacts, thisMachine } from "./machine.ts";
export { configManual, roff } from "./manual.ts";
export type { ConfigOption, ConfigTable, OptionValue } from "./option.ts";
export { heading, type LoadedTable, type ParsedConfig, parseConfig } from "./parse.ts";
export { ConfigError, type ConfigProblem, formatProblem } from "./problem.ts";
export { explainOption, optionFacts, optionNames, referencePage, sampleFile, wrap } from "./reference.ts";
export { configTables, optionNamed, tableNamed } from "./tables.ts";
