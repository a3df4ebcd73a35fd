// Names in code spans that do not come from this repository, each with its origin.

const reasons: Readonly<Record<string, readonly string[]>> = {
  'vitest, in the rules for tests': ['spyOn', 'mockImplementation'],
  PyTorch: ['AdaptiveLogSoftmaxWithLoss'],
  onnxruntime: ['InferenceSession', 'Tensor', 'externalData'],
  'the MPI operator of Kubernetes': ['backoffLimit'],
  'an environment variable of OpenBLAS': ['OPENBLAS_CORETYPE'],
  'the file that the reader of docs/writing-a-backend.md writes': ['naive-backend.ts'],
};

const optionReasons: Readonly<Record<string, readonly string[]>> = {
  npm: ['--global'],
  pnpm: ['--filter'],
  vitest: ['--project'],
  vite: ['--base'],
  'srun of Slurm': ['--mpi'],
};

export const externalNames: ReadonlySet<string> = new Set(Object.values(reasons).flat());
export const externalOptions: ReadonlySet<string> = new Set(Object.values(optionReasons).flat());
