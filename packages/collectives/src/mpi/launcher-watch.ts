/**
 * A rank must not outlive its launcher. When mpirun, or its daemon on this machine, is killed without a chance to end
 * its ranks, nobody else does: a rank that waits for a message, or computes, would go on for ever.
 *
 * The system makes another process the parent of a process whose parent has ended, so the parent is looked at every
 * second; where a shell or another wrapper was started as the rank, so are the parents of its wrappers, up to the
 * launcher. A thread of its own does it, because this one is blocked while it waits or computes.
 *
 * Rejected: PR_SET_PDEATHSIG, which exists on Linux only, and says nothing of a launcher above a wrapper. Nor
 * does Open MPI 4.1 end a rank that has lost its daemon.
 */
import { Worker } from 'node:worker_threads';

/** Set for each rank by Open MPI; by MPICH's hydra; by Slurm's srun and by PRRTE. */
const rankVariables = ['OMPI_COMM_WORLD_RANK', 'PMI_RANK', 'PMIX_RANK'];

/** Until the result is disposed. Does nothing in a process that no launcher has started. */
export function watchLauncher(environment: Readonly<Record<string, string | undefined>>): Disposable {
  const variable = rankVariables.find((each) => environment[each] !== undefined);
  if (variable === undefined) return { [Symbol.dispose]: () => undefined };
  const worker = new Worker(watch, {
    eval: true,
    workerData: { variable, name: `vastmax: rank ${environment[variable] ?? ''}` },
    // Without the options of the process, a TypeScript loader for example.
    execArgv: [],
    name: 'vastmax-launcher-watch',
  });
  // Without the thread (a limit on threads, say) a rank works all the same.
  worker.on('error', () => undefined);
  worker.unref();
  return {
    [Symbol.dispose]: () => {
      void worker.terminate();
    },
  };
}

/**
 * The program of the thread: a text, because a file of its own would be lost in a bundle. The ancestors are those up to
 * the launcher, which is the first without the variables of a rank. Of a process that cannot be read (no /proc, another
 * user) it is taken that it is the launcher.
 */
const watch = `
const { readFileSync, writeSync } = require('node:fs');
const { variable, name } = require('node:worker_threads').workerData;
const read = (pid, file) => readFileSync('/proc/' + pid + '/' + file, 'latin1');
// After the command, whose name may contain anything: the state and the parent.
const parentOf = (pid) => Number(read(pid, 'stat').replace(/^.*\\) /s, '').split(' ')[1]);
const isOfRank = (pid) => {
  try {
    return read(pid, 'environ').split('\\0').some((each) => each.startsWith(variable + '='));
  } catch {
    return false;
  }
};
const ancestors = [process.ppid];
while (isOfRank(ancestors.at(-1))) ancestors.push(parentOf(ancestors.at(-1)));
const isLeft = () => {
  if (process.ppid !== ancestors[0]) return true;
  try {
    return ancestors.slice(1).some((ancestor, i) => parentOf(ancestors[i]) !== ancestor);
  } catch {
    return true;
  }
};
setInterval(() => {
  if (!isLeft()) return;
  try {
    writeSync(2, name + ' ends: its launcher (process ' + ancestors.at(-1) + ') has ended\\n');
  } catch {
    // Nobody reads it any more.
  }
  process.kill(process.pid, 'SIGKILL');
}, 1000);
`;
