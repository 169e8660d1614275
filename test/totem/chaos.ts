import { History } from "./history.ts";
import { Network, random } from "./network.ts";

/** Runs a few nodes under random faults, heals everything, and checks what the applications saw. */
export function chaos(seed: number): { readonly network: Network; readonly deliveries: number } {
  const chance = random(seed * 7919 + 1);
  const count = 2 + Math.floor(chance() * (chance() < 0.2 ? 9 : 5));
  const network = new Network(count, seed, {
    netmtu: [512, 1500, 9000][Math.floor(chance() * 3)] ?? 1500,
    sendJoinMs: chance() < 0.2 ? 20 : 0,
    failRecvConst: chance() < 0.2 ? 60 : 2500,
    windowSize: chance() < 0.3 ? 4 : 50,
    maxMessages: chance() < 0.3 ? 2 : 17,
    seqnoUnchangedConst: chance() < 0.5 ? 3 : 30,
    missCountConst: chance() < 0.3 ? 1 : 5,
    cancelTokenHoldOnRetransmit: chance() < 0.3,
  });
  const history = new History(network);
  const pick = () => 1 + Math.floor(chance() * count);
  network.faults.persistMs = chance() < 0.3 ? 30 : 1;
  for (let id = 1; id <= count; id++) {
    network.after(chance() * 500, () => {
      if (network.machine(id).life === 0) network.start(id);
    });
  }
  network.run(chance() * 3000);
  const rounds = 4 + Math.floor(chance() * 12);
  for (let round = 0; round < rounds; round++) {
    disturb(network, history, chance, pick, count);
    const messages = Math.floor(chance() * 40);
    for (let index = 0; index < messages; index++) {
      const size =
        chance() < 0.1
          ? Math.floor(chance() * (chance() < 0.1 ? 300_000 : 20_000))
          : Math.floor(chance() * 300);
      const guarantee = chance() < 0.4 ? "safe" : "agreed";
      const id = pick();
      network.after(chance() * 1500, () => history.send(id, guarantee, size));
    }
    network.run(chance() * 4000);
  }
  network.heal();
  Object.assign(network.faults, { loss: 0, duplicate: 0, delay: [0.1, 0.3], persistMs: 1 });
  network.run(2000);
  for (const { id, up } of network.machines.values()) if (!up) network.start(id);
  if (!network.until(() => network.whole(), 70_000))
    throw new Error(`no whole ring: ${network.rings().join("; ")}`);
  network.run(1000);
  if (!network.whole()) throw new Error(`ring does not last: ${network.rings().join("; ")}`);
  network.run(2000);
  history.finish();
  return { network, deliveries: history.deliveries };
}

function disturb(
  network: Network,
  history: History,
  chance: () => number,
  pick: () => number,
  count: number,
): void {
  const { faults } = network;
  switch (Math.floor(chance() * 11)) {
    case 0:
      faults.loss = chance() * 0.4;
      return;
    case 1:
      faults.duplicate = chance() * 0.3;
      return;
    case 2:
      faults.delay = [0.1, 0.2 + chance() * 40];
      return;
    case 3:
      return network.cut(pick(), pick());
    case 4: {
      const all = Array.from({ length: count }, (_, index) => index + 1);
      const left = all.filter(() => chance() < 0.5);
      return network.split(
        left,
        all.filter((id) => !left.includes(id)),
      );
    }
    case 5:
      network.heal();
      Object.assign(faults, { loss: 0, duplicate: 0, delay: [0.1, 0.3] });
      return;
    case 6:
      return history.crash(pick());
    case 7: {
      const id = pick();
      if (!network.machine(id).up) network.start(id);
      return;
    }
    case 8:
      return history.leave(pick());
    case 9:
      faults.persistMs = chance() < 0.5 ? 1 : chance() * 400;
      return;
    default:
      return network.pause(pick(), chance() * 3000);
  }
}
