// The Worker waits at its top level, which modules can and the default format cannot.
export default { worker: { format: 'es' } };
