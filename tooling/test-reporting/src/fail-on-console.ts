// A vitest setup file: a test fails if anything is written to the console during it; the error has the stack of the
// first write. The error is recorded and thrown after the test, because the code under test could catch it if it was
// thrown by the call. A test that expects output replaces the console method itself (`vi.spyOn(console,
// 'log').mockImplementation(…)`).

import { afterAll, afterEach, beforeEach } from 'vitest';

const methods = ['debug', 'error', 'info', 'log', 'table', 'trace', 'warn'] as const;
const recorded: Error[] = [];

for (const method of methods) {
  console[method] = (...values: readonly unknown[]): void => {
    recorded.push(new Error(`console.${method} was called: ${values.map(String).join(' ')}`));
  };
}
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (text: string | Uint8Array): boolean => {
    recorded.push(
      new Error(`process.${name} was written to: ${typeof text === 'string' ? text : new TextDecoder().decode(text)}`),
    );
    return true;
  };
}

function raise(where: string): void {
  const [first] = recorded.splice(0);
  if (first === undefined) return;
  first.message = `${where}: ${first.message}`;
  throw first;
}

beforeEach(() => {
  raise('console output outside a test');
});
afterEach(() => {
  raise('console output');
});
afterAll(() => {
  raise('console output outside a test');
});
