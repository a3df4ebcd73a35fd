/**
 * Types of the part of WebAssembly that this package uses. Node, browsers and workers have no common `lib` with only
 * that: with the DOM's types a use of `document` would not be detected.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /**
   * Adds pages of 64 KiB and detaches the old buffer unless it is shared. @throws RangeError when there is not enough
   * memory.
   */
  grow(pages: number): number;
}

/** A compiled module, opaque here. */
export type WasmModule = object;

export interface WebAssemblyHost {
  readonly Module: new (binary: Uint8Array) => WasmModule;
  readonly Memory: new (descriptor: {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }) => WasmMemory;
  validate(binary: Uint8Array): boolean;
  compile(binary: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: object): Promise<{ readonly exports: object }>;
}

const host = globalThis as unknown as { readonly WebAssembly?: WebAssemblyHost; atob(base64: string): string };

/** Undefined where the engine has no WebAssembly, as in some locked-down browsers. */
export function findWebAssembly(): WebAssemblyHost | undefined {
  return host.WebAssembly;
}

/** The smallest module: the magic number and the version. */
const emptyModule: Uint8Array = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Why a page's policy forbids compilation, which validation does not detect; undefined where it is allowed. */
export function findCompileObstacle(webAssembly: WebAssemblyHost): string | undefined {
  try {
    new webAssembly.Module(emptyModule);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function decodeBase64(base64: string): Uint8Array {
  return Uint8Array.from(host.atob(base64), (character) => character.charCodeAt(0));
}
