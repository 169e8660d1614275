import type { NodeName } from "../terms/index.ts";
import type { FenceTestRow } from "./face.ts";
import { Rewind } from "./rewind.ts";

interface TestUnderWay {
  readonly target: NodeName;
  readonly expected: Set<NodeName>;
  readonly rows: FenceTestRow[];
}

/** Collects what the members found in the tests that this node asked for. */
export class TestBoard {
  private readonly tests = new Map<string, TestUnderWay>();

  private readonly rewind = new Rewind(() => {
    const tests = [...this.tests].map(([id, { target, expected, rows }]): [string, TestUnderWay] => [
      id,
      { target, expected: new Set(expected), rows: [...rows] },
    ]);
    return () => {
      this.tests.clear();
      for (const [id, test] of tests) this.tests.set(id, test);
    };
  });

  begin(id: string, target: NodeName, members: readonly NodeName[]): void {
    this.tests.set(id, { target, expected: new Set(members), rows: [] });
  }

  answer(from: NodeName, id: string, rows: readonly FenceTestRow[]): void {
    this.rewind.touch();
    const test = this.tests.get(id);
    test?.rows.push(...rows);
    test?.expected.delete(from);
  }

  /** Takes back what is answered from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  ids(): string[] {
    return [...this.tests.keys()];
  }

  /**
   * The rows, when all members have answered or it is `late`; then the test is over.
   * @param untried what there is to say of devices for a target that no member has tried
   */
  finish(
    id: string,
    members: readonly NodeName[],
    late: boolean,
    untried: (target: NodeName) => readonly FenceTestRow[],
  ): FenceTestRow[] | undefined {
    const test = this.tests.get(id);
    if (!test) return undefined;
    const missing = [...test.expected].filter((node) => members.includes(node));
    if (missing.length > 0 && !late) return undefined;
    this.rewind.touch();
    this.tests.delete(id);
    const lost = missing.map((node) => ({
      level: 0,
      device: "-",
      node,
      ok: false,
      check: "answer",
      text: "the node did not answer",
    }));
    return [...test.rows, ...untried(test.target), ...lost].sort(
      (a, b) => a.level - b.level || a.device.localeCompare(b.device) || a.node.localeCompare(b.node),
    );
  }
}
