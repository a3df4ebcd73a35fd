/** The host's clock in milliseconds; the compiler names an import after its file. */
export declare function now(): f64;
