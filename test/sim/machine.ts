import type { Beacon, NameClaim, Processes, ProcessIdentity } from '../../src/core/ports.js';
import type { SimProcess } from './process.js';
import type { Rng } from './random.js';

/** A computer that runs processes on the shared disk. */
export interface Machine {
  readonly name: string;
  readonly hostname: string;
  /** Empty: unknown. */
  readonly machineId: string;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** By pid; the latest process of each pid. */
  readonly processes: Map<number, SimProcess>;
  /** Claimed names, each prefixed by its network namespace. */
  readonly claims: Map<string, SimProcess>;
  boots: number;
}

/** The kinds of operating system of a world. */
export interface Systems {
  readonly claims: boolean;
  readonly beacons: boolean;
  /** Runs may be in containers, each with its own processes and network. */
  readonly containers: boolean;
  /** A second machine with the same folder, often with the same host name: a clone, or a pod on another node. */
  readonly second: boolean;
}

export function drawSystems(rng: Rng): Systems {
  return {
    claims: rng.chance(0.8),
    beacons: rng.chance(0.7),
    containers: rng.chance(0.2),
    second: rng.chance(0.35),
  };
}

export function drawMachines(rng: Rng): readonly [Machine, Machine] {
  const known = rng.chance(0.6);
  const sameName = rng.chance(0.7);
  const machine = (name: string, hostname: string, skewMs: number): Machine => ({
    name,
    hostname,
    machineId: known ? `id of ${name}` : '',
    skewMs,
    processes: new Map(),
    claims: new Map(),
    boots: 1,
  });
  return [
    machine('first', 'here', 0),
    machine('second', sameName ? 'here' : 'there', rng.between(-7_200_000, 7_200_000)),
  ];
}

const HOST_NAMESPACE = 'pid:[4026531836]';

/** Starts a process: a pid that no live process of the machine has, and what identifies it. */
export function identityOn(
  machine: Machine,
  { run, container, rng }: { readonly run: number; readonly container: boolean; readonly rng: Rng },
): ProcessIdentity {
  // Few pids, so that they are reused soon.
  let pid = 100 + rng.below(3);
  while (machine.processes.get(pid)?.alive() === true) pid += 1;
  return {
    pid,
    hostname: machine.hostname,
    bootId: `${machine.name}-${machine.boots}`,
    startTime: String(1000 + run),
    machineId: container ? '' : machine.machineId,
    pidNamespace: container ? `pid:[${run}]` : HOST_NAMESPACE,
    netNamespace: container ? `net:[${run}]` : 'net:[host]',
  };
}

/** Sockets in the shared folder, by path. */
export type Beacons = Map<string, { readonly machine: Machine; readonly process: SimProcess }>;

/** Other processes as seen by this one. */
export function processesOf(
  simProcess: SimProcess,
  machine: Machine,
  systems: Systems,
  beacons: Beacons,
): Processes {
  const self = simProcess.identity;
  return {
    self,
    startTimeOf: (pid) =>
      simProcess.act(0, () => {
        const other = machine.processes.get(pid);
        const isSeen =
          self.pidNamespace === HOST_NAMESPACE || other?.identity.pidNamespace === self.pidNamespace;
        return isSeen && other?.alive() === true ? other.identity.startTime : undefined;
      }),
    claim: (name) => simProcess.act(0, () => claim(simProcess, machine, systems, name)),
    openBeacon: (path) =>
      simProcess.act(0, (): Beacon | undefined => {
        if (!systems.beacons) return undefined;
        beacons.set(path, { machine, process: simProcess });
        const close = () => simProcess.act(0, () => void beacons.delete(path));
        return { id: path, close };
      }),
    askBeacon: (path, id) =>
      simProcess.act(0, () => {
        const beacon = beacons.get(path);
        if (beacon === undefined || id !== path) return 'unknown';
        // Another kernel finds a socket in the folder, with nothing behind it.
        return beacon.machine === machine && beacon.process.alive() ? 'answers' : 'silent';
      }),
  };
}

function claim(simProcess: SimProcess, machine: Machine, systems: Systems, name: string): NameClaim {
  if (!systems.claims) return { kind: 'unsupported' };
  const key = `${simProcess.identity.netNamespace} ${name}`;
  if (machine.claims.get(key)?.alive() === true) return { kind: 'taken' };
  machine.claims.set(key, simProcess);
  const free = () =>
    simProcess.act(0, () => {
      if (machine.claims.get(key) === simProcess) machine.claims.delete(key);
    });
  return { kind: 'held', free };
}
