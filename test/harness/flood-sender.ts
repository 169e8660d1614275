/**
 * Somebody without the key who floods a node's ring port in the name of another: `flood-sender.ts KIND FROM TO LISTEN PORT
 * RATE SECONDS BYTES`. FROM: the address of a listed node; LISTEN: that of one that is not running, where pings to it are
 * heard, as on a network that others can listen to. Prints how many it sent in how many seconds.
 *
 * - `random`: a believable header with a random incarnation
 * - `known`: the incarnation that the listed node has
 * - `copied`: headers that it has really sent, to another node, with another body
 * - `noise`: nothing but random bytes, for whoever listens there; LISTEN is not used
 */
export {};

const [kind = "", from = "", to = "", listen = "", ...numbers] = process.argv.slice(2);
const [port = 0, rate = 0, seconds = 0, bytes = 0] = numbers.map(Number);
const headerBytes = 28;
const batch = 64;

const heard: Uint8Array[] = [];
const first = Promise.withResolvers<void>();
/** Hears what the listed node sends; resolves when there is something. */
async function listening() {
  const ear = await Bun.udpSocket({
    hostname: listen,
    port,
    binaryType: "uint8array",
    socket: {
      data: (_socket, data, _port, address) => {
        if (address !== from) return;
        heard.push(new Uint8Array(data as Uint8Array).slice(0, headerBytes));
        if (heard.length > 256) heard.shift();
        first.resolve();
      },
    },
  });
  await first.promise;
  return ear;
}
const ear = kind === "noise" ? undefined : await listening();

const body = crypto.getRandomValues(new Uint8Array(bytes));
let made = 0;
function forge(): Uint8Array {
  const datagram = Buffer.from(body);
  datagram.set(heard[made % heard.length] ?? body.subarray(0, headerBytes));
  made++;
  datagram.writeUInt32BE(made, bytes - 4);
  if (kind === "copied" || kind === "noise") return datagram;
  datagram.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), headerBytes - 4);
  datagram.writeUIntBE(2 ** 32 + made, 18, 6);
  if (kind === "random") datagram.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), 10);
  return datagram;
}

const mouth = await Bun.udpSocket({ hostname: from, port: 0, connect: { hostname: to, port } });
const begun = performance.now();
let sent = 0;
for (;;) {
  const elapsed = (performance.now() - begun) / 1000;
  if (elapsed > seconds) break;
  if (sent < elapsed * rate) sent += mouth.sendMany(Array.from({ length: batch }, forge));
  // Also lets the ear hear.
  else await Bun.sleep(1);
  if (sent % (batch * 50) === 0) await Bun.sleep(0);
}
console.log(JSON.stringify({ sent, seconds: (performance.now() - begun) / 1000 }));
ear?.close();
mouth.close();
