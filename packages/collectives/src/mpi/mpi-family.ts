/**
 * The three binary interfaces of MPI libraries. They have the same functions but different handles: in Open MPI the
 * address of a data symbol, in MPICH and its family (Intel MPI, MVAPICH, Cray) an integer, in the ABI of MPI 5 a small
 * number in a pointer.
 */
export type MpiFamilyName = 'Open MPI' | 'MPICH' | 'MPI ABI';

export interface MpiFamily {
  readonly name: MpiFamilyName;
  /** The C type of communicators, datatypes and error handlers, as koffi declares it. */
  readonly handle: 'void *' | 'int';
  readonly world: bigint | number;
  readonly byte: bigint | number;
  readonly errorsReturn: bigint | number;
  /** MPI_STATUS_IGNORE and MPI_STATUSES_IGNORE. */
  readonly statusIgnore: bigint;
}

/** @param addressOf the address of a data symbol, undefined where there is none. */
export function recogniseFamily(path: string, addressOf: (symbol: string) => bigint | undefined): MpiFamily {
  const world = addressOf('ompi_mpi_comm_world');
  const byte = addressOf('ompi_mpi_byte');
  const errorsReturn = addressOf('ompi_mpi_errors_return');
  // Open MPI's library for the ABI has both sets of symbols; the handles are the ABI's.
  if (/mpi_abi/.test(path))
    return { name: 'MPI ABI', handle: 'void *', world: 0x101n, byte: 0x247n, errorsReturn: 0x143n, statusIgnore: 0n };
  if (world !== undefined && byte !== undefined && errorsReturn !== undefined) {
    return { name: 'Open MPI', handle: 'void *', world, byte, errorsReturn, statusIgnore: 0n };
  }
  return {
    name: 'MPICH',
    handle: 'int',
    world: 0x44000000,
    byte: 0x4c00010d,
    errorsReturn: 0x54000001,
    statusIgnore: 1n,
  };
}
