/** The parts of these layers, for layers that run the same mathematics over rows that lie elsewhere (distributed-mpi). May change with any version. */
export { createInitialRows } from './class-table/initial-rows.ts';
