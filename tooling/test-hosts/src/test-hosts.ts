/**
 * Hosts of one machine: each is a network namespace with a host name and an address of its own, and a cable to a switch
 * in another namespace. Processes of different hosts reach each other by TCP only, over a link that can be cut, slowed
 * and disturbed. They share the disk, as nodes of a cluster do, and the cores. It takes Linux and root; nothing of the
 * machine's own network is touched.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let created = 0;

/** Why there cannot be hosts here, or undefined. */
export function findMissing(): string | undefined {
  if (process.platform !== 'linux') return `network namespaces are of Linux, not of ${process.platform}`;
  if (process.getuid?.() !== 0) return 'making a network namespace takes root';
  for (const command of ['ip', 'tc', 'unshare']) {
    if (spawnSync(command, ['-V']).error !== undefined)
      return `${command} is not on the path; Debian: apt-get install iproute2 util-linux`;
  }
  const name = `vastmax-probe-${process.pid}`;
  const probe = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (probe.status !== 0) return `no network namespace can be made: ${probe.stderr.trim()}`;
  spawnSync('ip', ['netns', 'delete', name]);
  return undefined;
}

export class TestHosts implements Disposable {
  readonly #prefix = `vm${process.pid}-${created++}-`;
  readonly #size: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'vastmax-hosts-'));

  /** @param size hosts 0 to size − 1, by name `host0` and so on. */
  constructor(size: number) {
    this.#size = size;
    this.#add('switch');
    this.#inside('switch', 'link add bridge type bridge');
    this.#inside('switch', 'link set bridge up');
    for (let host = 0; host < size; host++) {
      this.#add(host);
      this.#inside(host, 'link set lo up');
      this.#inside(host, `link add eth0 type veth peer name port${host} netns ${this.#prefix}switch`);
      this.#inside(host, `addr add ${address(host)}/24 dev eth0`);
      this.#inside(host, 'link set eth0 up');
      this.#inside('switch', `link set port${host} master bridge`);
      this.plugIn(host);
    }
    // What mpirun runs in place of ssh: a host's address and the words of a command.
    writeFileSync(
      this.#agent,
      `#!/bin/sh\nhost=$((\${1##*.} - 1)); shift\nexec ip netns exec ${this.#prefix}$host unshare --uts sh -c "echo host$host > /proc/sys/kernel/hostname; $*"\n`,
    );
    chmodSync(this.#agent, 0o700);
  }

  get #agent(): string {
    return join(this.#folder, 'agent');
  }

  /** The words before a program that make it the ranks of a job, one on each of these hosts; the first host launches. */
  mpirun(...hosts: readonly number[]): readonly [command: string, ...options: string[]] {
    const file = join(this.#folder, `hosts-${hosts.join('-')}`);
    writeFileSync(file, hosts.map((host) => `${address(host)} slots=1\n`).join(''));
    const [first = 0] = hosts;
    const name = `echo host${first} > /proc/sys/kernel/hostname; exec "$@"`;
    const settings = {
      plm_rsh_agent: this.#agent,
      pml: 'ob1',
      btl: 'tcp,self',
      btl_tcp_if_include: 'eth0',
      oob_tcp_if_include: 'eth0',
    };
    return [
      'ip',
      ...['netns', 'exec', `${this.#prefix}${first}`, 'unshare', '--uts', 'sh', '-c', name, 'sh'],
      ...['mpirun', '--allow-run-as-root', '--hostfile', file, '-n', String(hosts.length)],
      ...Object.entries(settings).flatMap(([key, value]) => ['--mca', key, value]),
    ];
  }

  /** The cable is out: packets are lost in both directions, and nobody is told. */
  unplug(host: number): void {
    this.#inside('switch', `link set port${host} down`);
  }

  plugIn(host: number): void {
    this.#inside('switch', `link set port${host} up`);
  }

  /**
   * What the host sends goes through this queueing discipline of tc, such as `tbf rate 10mbit burst 32kb latency 1s`.
   * @returns whether the kernel has it; `netem`, for delay and loss, is often left out.
   */
  shape(host: number, discipline: string): boolean {
    const words = `netns exec ${this.#prefix}${host} tc qdisc replace dev eth0 root ${discipline}`;
    return spawnSync('ip', words.split(' ')).status === 0;
  }

  /** Kills what still runs there, a job that lost a host included. */
  [Symbol.dispose](): void {
    for (const host of [...Array(this.#size).keys(), 'switch']) {
      const namespace = `${this.#prefix}${host}`;
      const pids = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout;
      for (const pid of pids.split('\n')) {
        if (pid === '') continue;
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
      spawnSync('ip', ['netns', 'delete', namespace]);
    }
    rmSync(this.#folder, { recursive: true });
  }

  #add(name: number | 'switch'): void {
    ip(`netns add ${this.#prefix}${name}`);
  }

  #inside(name: number | 'switch', words: string): void {
    ip(`-netns ${this.#prefix}${name} ${words}`);
  }
}

function address(host: number): string {
  return `10.99.0.${host + 1}`;
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
}
