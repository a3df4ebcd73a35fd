/** The library of this machine, and that library as others would be: without some of its functions. */
import { createKoffiLoader, findLibrary } from '../src/find-library.ts';
import type { BlasLibrary } from '../src/blas-library.ts';
import type { LoadNativeLibrary } from '../src/native-functions.ts';

const found = await findLibrary();
const required = /\bopenblas-/.test(process.env['REQUIRE_BACKENDS'] ?? '');

/** As with a backend's conformance: unavailable is not passed, and is a failure where it is required. */
export function nativeLibrary(skip: (reason: string) => never): BlasLibrary {
  if (found.library !== undefined) return found.library;
  if (required) throw new Error(`REQUIRE_BACKENDS names openblas, but it is unavailable: ${found.reason}`);
  return skip(`unavailable: ${found.reason}`);
}

/** koffi's loader, whose libraries lack the functions of these names. */
export async function loaderWithout(...hidden: readonly RegExp[]): Promise<LoadNativeLibrary> {
  const load = await createKoffiLoader();
  return (file) => {
    const library = load(file);
    return {
      path: library.path,
      func: (name, result, parameters) => {
        if (hidden.some((pattern) => pattern.test(name))) throw new Error(`no function ${name}`);
        return library.func(name, result, parameters);
      },
    };
  };
}
