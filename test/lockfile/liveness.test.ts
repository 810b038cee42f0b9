import { describe, expect, it } from 'vitest';
import type { ProcessIdentity } from '../../src/core/ports.js';
import { type Evidence, type Holder, judgeLiveness } from '../../src/lockfile/liveness.js';

const HOST = 'pid:[4026531836]';
const self: ProcessIdentity = {
  pid: 2,
  hostname: 'studio',
  bootId: 'boot-1',
  startTime: '200',
  machineId: 'machine-1',
  pidNamespace: HOST,
  netNamespace: 'net:[1]',
};
const running: Holder = { ...self, pid: 1, startTime: '100', claimed: true, beaconId: '1:1' };
/** What is seen of the holder while it lives, from the same machine. */
const seen: Evidence = { startTime: '100', claimIsOurs: false, beacon: 'answers' };
/** Nothing is found of it from here. */
const unseen: Evidence = { startTime: undefined, claimIsOurs: true, beacon: 'unknown' };

const BOOT = { bootId: 'boot-2' };
const CONTAINER = { pidNamespace: 'pid:[7]', netNamespace: 'net:[7]', machineId: '', hostname: 'a1b2c3' };
const UNKNOWN = { bootId: '', pidNamespace: '', netNamespace: '' };

type Row = readonly [
  what: string,
  holder: Partial<Holder>,
  evidence: Partial<Evidence>,
  verdict: boolean | string,
  self?: Partial<ProcessIdentity>,
];

/** `true`: it lives. `false`: it is gone. A word: nothing is proven, for that reason. */
const TABLE: readonly Row[] = [
  // The same boot id is the same kernel, and its process table tells.
  ['same boot, its process runs', {}, seen, true],
  ['same boot, no such process', {}, unseen, false],
  ['same boot, the pid was given to another process', {}, { ...unseen, startTime: '300' }, false],
  [
    'same boot, the pid is in use and no start time is known',
    {},
    { startTime: '', claimIsOurs: false },
    'pid_in_use',
  ],
  [
    'same boot, no start time is known, and its name is ours now',
    {},
    { startTime: '', claimIsOurs: true },
    false,
  ],
  [
    'same boot, no start time is known, and its socket is silent',
    {},
    { startTime: '', beacon: 'silent' },
    false,
  ],
  ['same boot, another host name (it was renamed), no such process', { hostname: 'new' }, unseen, false],
  ['same boot, another host name, its process runs', { hostname: 'new' }, seen, true],
  // Another boot id with the same name proves nothing, but on the same machine.
  ['another boot, same machine and name: it was restarted', BOOT, unseen, false],
  [
    'another boot, same machine and name, the pid is in use again',
    BOOT,
    { ...unseen, startTime: '100' },
    false,
  ],
  [
    'another boot, same name, another machine: a clone',
    { ...BOOT, machineId: 'machine-2' },
    unseen,
    'same_name',
  ],
  ['another boot, same name, no machine id', { ...BOOT, machineId: '' }, unseen, 'same_name'],
  ['another boot, same name, we have no machine id', BOOT, unseen, 'same_name', { machineId: '' }],
  [
    'another boot, same name, neither has a machine id',
    { ...BOOT, machineId: '' },
    unseen,
    'same_name',
    { machineId: '' },
  ],
  [
    'another boot, same machine id, another name: a clone',
    { ...BOOT, hostname: 'copy' },
    unseen,
    'other_host',
  ],
  [
    'another boot, another name, another machine',
    { ...BOOT, machineId: 'm2', hostname: 'b' },
    unseen,
    'other_host',
  ],
  [
    'another boot, and its socket is silent: its kernel is another',
    { ...BOOT, machineId: 'm2' },
    { ...unseen, beacon: 'silent' },
    'same_name',
  ],
  // A container shares the kernel and not the processes.
  ['same boot, in a container, its socket answers', CONTAINER, { ...unseen, beacon: 'answers' }, true],
  [
    'same boot, in a container that was killed: its socket is silent',
    CONTAINER,
    { ...unseen, beacon: 'silent' },
    false,
  ],
  ['same boot, in a container, nothing is known of it', CONTAINER, unseen, 'other_container'],
  [
    'same boot, in a container, a process here has its pid and start time',
    CONTAINER,
    { ...unseen, startTime: '100' },
    'other_container',
  ],
  [
    'same boot, other processes, same network: its name is ours now',
    { ...CONTAINER, netNamespace: 'net:[1]' },
    unseen,
    false,
  ],
  [
    'same boot, other processes, same network, it claimed nothing',
    { ...CONTAINER, netNamespace: 'net:[1]', claimed: false },
    unseen,
    'other_container',
  ],
  [
    'same boot, other processes, same network, the name is not ours',
    { ...CONTAINER, netNamespace: 'net:[1]' },
    { ...unseen, claimIsOurs: false },
    'other_container',
  ],
  [
    'same boot, other processes, silent, and it had no socket',
    { ...CONTAINER, beaconId: '' },
    { ...unseen, beacon: 'silent' },
    'other_container',
  ],
  [
    'same boot, from a container: the host runs it',
    {},
    { ...seen, beacon: 'answers', startTime: undefined },
    true,
    CONTAINER,
  ],
  ['same boot, from a container: the host ran it', {}, { ...unseen, beacon: 'silent' }, false, CONTAINER],
  ['same boot, from a container: nothing is known', {}, unseen, 'other_container', CONTAINER],
  [
    'a pod on another node: same name, another kernel',
    { ...CONTAINER, ...BOOT, hostname: 'studio' },
    unseen,
    'same_name',
    { ...CONTAINER, hostname: 'studio' },
  ],
  // Where the system has no boot id, the machine id and the process table decide.
  ['no boot id, same machine, no such process', UNKNOWN, { ...unseen, claimIsOurs: false }, false, UNKNOWN],
  ['no boot id, same machine, its process runs', UNKNOWN, { ...seen, beacon: 'unknown' }, true, UNKNOWN],
  ['no boot id, same machine, its name is ours now', UNKNOWN, { ...unseen, startTime: '' }, false, UNKNOWN],
  [
    'no boot id, same machine, the pid is in use and no start time is known',
    UNKNOWN,
    { ...unseen, startTime: '', claimIsOurs: false },
    'pid_in_use',
    UNKNOWN,
  ],
  [
    'no boot id, same name, no machine id',
    { ...UNKNOWN, machineId: '' },
    unseen,
    'same_name',
    { ...UNKNOWN, machineId: '' },
  ],
  [
    'no boot id, another machine',
    { ...UNKNOWN, machineId: 'm2', hostname: 'b' },
    unseen,
    'other_host',
    UNKNOWN,
  ],
  [
    'without /proc, in a container',
    { ...UNKNOWN, machineId: '', hostname: 'a' },
    unseen,
    'other_host',
    { ...UNKNOWN, machineId: '', hostname: 'b' },
  ],
  ['a guard file that says nothing', { pid: 0 }, unseen, 'unreadable'],
];

describe('deciding whether the holder of a guard is alive', () => {
  for (const [what, holder, evidence, verdict, me] of TABLE)
    it(what, () => {
      const found = judgeLiveness({ ...running, ...holder }, { ...self, ...me }, { ...unseen, ...evidence });
      const wanted = typeof verdict === 'string' ? { alive: 'unknown', why: verdict } : { alive: verdict };
      expect(found).toEqual(wanted);
    });

  it('never assumes death without proof from the same machine', () => {
    for (const [, fields, evidence, , me = {}] of TABLE) {
      const [holder, reader] = [
        { ...running, ...fields },
        { ...self, ...me },
      ];
      const sameKernel = holder.bootId !== '' && holder.bootId === reader.bootId;
      const sameMachine =
        holder.machineId !== '' &&
        holder.machineId === reader.machineId &&
        holder.hostname === reader.hostname;
      const { alive } = judgeLiveness(holder, reader, { ...unseen, ...evidence });
      if (alive === false) expect(sameKernel || sameMachine).toBe(true);
    }
  });
});
