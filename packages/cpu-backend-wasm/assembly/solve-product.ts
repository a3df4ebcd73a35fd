/** The inner kernels of the solver, in f64 or f32: c −= a·b for a strip of 32 bytes, which is four numbers or eight. */

/**
 * a rows×depth, b depth×one strip, c rows×one strip; strides in bytes. Four rows at a time in eight vectors, the rest
 * one by one.
 */
export function subtractProduct<T>(
  rows: i32,
  depth: i32,
  a: usize,
  strideA: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4, a += strideA << 2, c += strideC << 2) {
    let c00 = v128.load(c);
    let c01 = v128.load(c, 16);
    let c10 = v128.load(c + strideC);
    let c11 = v128.load(c + strideC, 16);
    let c20 = v128.load(c + 2 * strideC);
    let c21 = v128.load(c + 2 * strideC, 16);
    let c30 = v128.load(c + 3 * strideC);
    let c31 = v128.load(c + 3 * strideC, 16);
    let a0 = a;
    let a1 = a + strideA;
    let a2 = a + 2 * strideA;
    let a3 = a + 3 * strideA;
    let from = b;
    for (
      const end = a + ((<usize>depth) << alignof<T>());
      a0 < end;
      a0 += sizeof<T>(), a1 += sizeof<T>(), a2 += sizeof<T>(), a3 += sizeof<T>(), from += strideB
    ) {
      const b0 = v128.load(from);
      const b1 = v128.load(from, 16);
      let x = v128.load_splat<T>(a0);
      c00 = v128.sub<T>(c00, v128.mul<T>(x, b0));
      c01 = v128.sub<T>(c01, v128.mul<T>(x, b1));
      x = v128.load_splat<T>(a1);
      c10 = v128.sub<T>(c10, v128.mul<T>(x, b0));
      c11 = v128.sub<T>(c11, v128.mul<T>(x, b1));
      x = v128.load_splat<T>(a2);
      c20 = v128.sub<T>(c20, v128.mul<T>(x, b0));
      c21 = v128.sub<T>(c21, v128.mul<T>(x, b1));
      x = v128.load_splat<T>(a3);
      c30 = v128.sub<T>(c30, v128.mul<T>(x, b0));
      c31 = v128.sub<T>(c31, v128.mul<T>(x, b1));
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(c + strideC, c10);
    v128.store(c + strideC, c11, 16);
    v128.store(c + 2 * strideC, c20);
    v128.store(c + 2 * strideC, c21, 16);
    v128.store(c + 3 * strideC, c30);
    v128.store(c + 3 * strideC, c31, 16);
  }
  for (; row < rows; row++, a += strideA, c += strideC) {
    let c0 = v128.load(c);
    let c1 = v128.load(c, 16);
    let from = b;
    for (let at = a, end = a + ((<usize>depth) << alignof<T>()); at < end; at += sizeof<T>(), from += strideB) {
      const x = v128.load_splat<T>(at);
      c0 = v128.sub<T>(c0, v128.mul<T>(x, v128.load(from)));
      c1 = v128.sub<T>(c1, v128.mul<T>(x, v128.load(from, 16)));
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
  }
}

/** target −= factor·source over `bytes` rounded up to a strip; rows are padded to that. */
export function subtractRow<T>(target: usize, source: usize, factor: T, bytes: usize): void {
  const x = v128.splat<T>(factor);
  for (const end = target + bytes; target < end; target += 32, source += 32) {
    v128.store(target, v128.sub<T>(v128.load(target), v128.mul<T>(x, v128.load(source))));
    v128.store(target, v128.sub<T>(v128.load(target, 16), v128.mul<T>(x, v128.load(source, 16))), 16);
  }
}
