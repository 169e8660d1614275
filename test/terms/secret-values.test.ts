import { expect, test } from "bun:test";
import { MASKED, withoutSecretValues } from "../../src/terms/index.ts";

test("a secret that another one begins with leaves nothing of the longer one", () => {
  const params = { passwd: "Geheim", password: "Geheim-4799" };
  expect(withoutSecretValues("got Geheim-4799 and Geheim", params)).toBe(`got ${MASKED} and ${MASKED}`);
});

test("secrets are found as programs spell them", () => {
  const value = `a b'c"<&>/ü`;
  const spelled = [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    "a b'c\"&lt;&amp;&gt;/ü",
    "a b&apos;c&quot;&lt;&amp;&gt;/ü",
    `a b'\\''c"<&>/ü`,
    Buffer.from(value).toString("base64"),
  ];
  for (const text of spelled)
    expect(withoutSecretValues(`x ${text} y`, { password: value })).toBe(`x ${MASKED} y`);
  expect(withoutSecretValues("words stay", { password: value })).toBe("words stay");
});
