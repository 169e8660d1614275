import type { Random } from "../sim/random.ts";

/** Values that lengths and counts are most often wrong about. */
const awkward = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** A datagram that might come from a broken or hostile sender: noise, or one or two real ones, damaged. */
export function mutate(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.05)) return random.bytes(random.between(0, 200));
  let data = Uint8Array.from(random.pick(samples));
  if (random.chance(0.2)) data = splice(random, data, random.pick(samples));
  if (random.chance(0.3)) data = resize(random, data);
  if (data.length === 0) return data;
  for (let change = random.between(0, 3); change > 0; change--) damage(random, data);
  return data;
}

/** The beginning of one and the end of another. */
function splice(random: Random, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = a.subarray(0, random.between(0, a.length));
  const tail = b.subarray(random.between(0, b.length));
  const data = new Uint8Array(head.length + tail.length);
  data.set(head);
  data.set(tail, head.length);
  return data;
}

/** Cut short, or with something behind it. */
function resize(random: Random, data: Uint8Array): Uint8Array<ArrayBuffer> {
  if (random.chance(0.7)) return Uint8Array.from(data.subarray(0, random.between(0, data.length)));
  const longer = new Uint8Array(data.length + random.between(1, 40));
  longer.set(data);
  if (random.chance(0.5)) longer.set(random.bytes(longer.length - data.length), data.length);
  return longer;
}

/** One place: a bit, a byte, or a number of two or four bytes that lies about what follows. Headers most of all. */
function damage(random: Random, data: Uint8Array): void {
  const reach = random.chance(0.5) ? Math.min(data.length, 40) : data.length;
  const at = random.between(0, reach - 1);
  switch (random.between(0, 3)) {
    case 0:
      data[at] = (data[at] ?? 0) ^ (1 << random.between(0, 7));
      return;
    case 1:
      data[at] = random.between(0, 255);
      return;
    case 2:
      data[at] = random.pick(awkward);
      return;
    case 3: {
      const width = random.pick([2, 4]);
      const value = random.pick(awkward);
      for (let byte = at; byte < Math.min(data.length, at + width); byte++) data[byte] = value;
      return;
    }
  }
}
