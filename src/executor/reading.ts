import { OpStatus, type Read, type ResourceId, read } from "../terms/index.ts";
import type { ExecutorSnapshot } from "./effects.ts";
import type { AgentResource, Operation, OperationResult, ParameterTraits, ToolUser } from "./face.ts";
import type { JournalRecord } from "./journal.ts";
import type { SavedState } from "./recall.ts";

const longestParameter = 1024 * 1024;
/** Longer than what an agent's own reason is cut to. */
const longestReason = 4096;
const longestOutput = 64 * 1024;
/** Text that may be empty. */
const word = read.xmlText(1024);
const callId = read.whole(0, Number.MAX_SAFE_INTEGER);
/** Characters of all parameters together: more than the kernel takes as the environment of a program (execve(2)). */
const longestParameters = 4 * 1024 * 1024;
const readParams = read.dictionary(read.xmlText(longestParameter), word);
const params: Read<Readonly<Record<string, string>>> = (value, at) => {
  const found = readParams(value, at);
  const length = Object.entries(found).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  return length <= longestParameters
    ? found
    : read.refuse(at, `have ${length} characters together; ${longestParameters} are possible`);
};

const standards: readonly string[] = ["ocf", "lsb", "systemd", "service", "stonith"];
const standard = read.oneOf(...standards) as Read<AgentResource["class"]>;
/** The CIB can name any class. What no executor knows is answered by the manager, but travels as it is. */
const anyStandard = read.name as Read<AgentResource["class"]>;

const agentOf = (of: Read<AgentResource["class"]>) =>
  read.shape<Omit<AgentResource, "id">>({ class: of, provider: read.maybe(word), type: word });
const resourceOf = (of: Read<AgentResource["class"]>) =>
  read.shape<AgentResource>({ id: read.resourceId, class: of, provider: read.maybe(word), type: word });

const operationOf = (of: Read<AgentResource["class"]>) =>
  read.shape<Operation>({
    callId,
    rsc: resourceOf(of),
    action: read.name,
    intervalMs: read.duration,
    timeoutMs: read.duration,
    startDelayMs: read.duration,
    params,
    transitionKey: word,
  });

const names = read.list(read.xmlText(1024), 10_000);
const traits = read.shape<ParameterTraits>({
  reload: read.maybe(read.oneOf("reload-agent", "reload")),
  forceRestart: names,
  private: names,
});

const resultOf = (of: Read<AgentResource["class"]>) =>
  read.shape<OperationResult>({
    callId,
    rsc: resourceOf(of),
    action: read.name,
    intervalMs: read.duration,
    transitionKey: word,
    rc: read.whole(-1, 255),
    status: read.oneOf(...Object.values(OpStatus)),
    exitReason: read.saying(longestReason),
    stdout: read.saying(longestOutput),
    execMs: read.duration,
    queueMs: read.duration,
    lastRun: read.time,
    lastChange: read.time,
    params,
    traits: read.maybe(traits),
  });

/** Whether any executor can run the agent: the CIB may name another class than those that are known. */
export const canBeRun = (rsc: AgentResource): boolean => standards.includes(rsc.class);

/** Reads the name of an agent that an executor can run. */
export const readAgent = agentOf(standard);
/** Reads a resource with its agent, which may be of a class that no executor knows. */
export const readAnyResource = resourceOf(anyStandard);
/** Reads an operation that an executor can run. */
export const readOperation = operationOf(standard);
/** Reads a result of an executor. */
export const readResult = resultOf(standard);
/** Reads an operation as managers tell each other of it: its agent may be of a class that no executor knows. */
export const readAnyOperation = operationOf(anyStandard);
/** Reads a result as managers tell each other of it. */
export const readAnyResult = resultOf(anyStandard);

/** Reads who calls a tool on a remote host, as that host says. */
export const readToolUser = read.shape<ToolUser>({
  name: read.name,
  groups: read.list(read.name, 100_000),
  privileged: read.flag,
});

/** Reads of which resources only a memory is told; releases that did not tell had none. */
export const readRemembered: Read<readonly ResourceId[]> = (value, at) =>
  value === undefined ? [] : read.list(read.resourceId)(value, at);

/** Reads the state that an executor before has written down. */
export const readSavedState = read.shape<SavedState>({
  instance: word,
  bootId: word,
  snapshot: read.shape<ExecutorSnapshot>({
    unfinished: read.list(readOperation),
    recurring: read.list(readOperation),
    results: read.list(readResult),
    interrupted: read.list(readOperation),
    remembered: readRemembered,
    complete: read.flag,
    nodeActionLimit: read.number(0, Number.MAX_SAFE_INTEGER),
    loadThreshold: read.number(0, Number.MAX_SAFE_INTEGER),
  }),
});

/** Reads a line of the journal of an executor before. */
export const readJournalRecord = read.variants<JournalRecord, "type">("type", {
  execute: { operation: readOperation },
  cancel: { rsc: read.resourceId, action: read.name, intervalMs: read.duration },
  forget: { rsc: read.resourceId },
  result: { result: readResult },
});
