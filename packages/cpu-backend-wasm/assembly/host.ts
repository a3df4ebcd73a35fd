/** A chunk of work that the host computes, outside WebAssembly; the compiler names an import after its file. */
export declare function call(chunk: i32): void;
