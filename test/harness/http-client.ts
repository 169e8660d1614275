/** A client of a service: asks a URL again and again and prints a line for each answer: time (ms), `ok` or `no`, text. */
const [url = "", periodMs = "20", timeoutMs = "250"] = process.argv.slice(2);
for (;;) {
  const begun = Date.now();
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(Number(timeoutMs)),
      headers: { connection: "close" },
    });
    const text = (await answer.text()).trim().split("\n")[0] ?? "";
    process.stdout.write(`${Date.now()} ${answer.ok ? "ok" : "no"} ${text}\n`);
  } catch {
    process.stdout.write(`${Date.now()} no\n`);
  }
  await Bun.sleep(Math.max(1, Number(periodMs) - (Date.now() - begun)));
}

export {};
