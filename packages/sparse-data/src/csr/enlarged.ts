/** `larger` with the numbers of `old` at its start: how growing arrays grow. */
export function enlarged<Numbers extends Uint8Array | Int32Array | Float64Array>(
  old: Numbers,
  larger: Numbers,
): Numbers {
  larger.set(old);
  return larger;
}
