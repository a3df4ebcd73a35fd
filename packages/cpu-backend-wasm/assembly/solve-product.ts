/** The inner kernel of the solver, in f64: c −= a·b. */

/** a rows×depth, b depth×4, c rows×4; strides in bytes. Four rows at a time in eight vectors, the rest one by one. */
export function subtractProduct(
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
    for (const end = a + (<usize>depth << 3); a0 < end; a0 += 8, a1 += 8, a2 += 8, a3 += 8, from += strideB) {
      const b0 = v128.load(from);
      const b1 = v128.load(from, 16);
      let x = v128.load_splat<f64>(a0);
      c00 = f64x2.sub(c00, f64x2.mul(x, b0));
      c01 = f64x2.sub(c01, f64x2.mul(x, b1));
      x = v128.load_splat<f64>(a1);
      c10 = f64x2.sub(c10, f64x2.mul(x, b0));
      c11 = f64x2.sub(c11, f64x2.mul(x, b1));
      x = v128.load_splat<f64>(a2);
      c20 = f64x2.sub(c20, f64x2.mul(x, b0));
      c21 = f64x2.sub(c21, f64x2.mul(x, b1));
      x = v128.load_splat<f64>(a3);
      c30 = f64x2.sub(c30, f64x2.mul(x, b0));
      c31 = f64x2.sub(c31, f64x2.mul(x, b1));
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
    for (let at = a, end = a + (<usize>depth << 3); at < end; at += 8, from += strideB) {
      const x = v128.load_splat<f64>(at);
      c0 = f64x2.sub(c0, f64x2.mul(x, v128.load(from)));
      c1 = f64x2.sub(c1, f64x2.mul(x, v128.load(from, 16)));
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
  }
}

/** target −= factor·source over `count` numbers rounded up to four; rows are padded to that. */
export function subtractRow(target: usize, source: usize, factor: f64, count: i32): void {
  const x = f64x2.splat(factor);
  for (let j = 0; j < count; j += 4, target += 32, source += 32) {
    v128.store(target, f64x2.sub(v128.load(target), f64x2.mul(x, v128.load(source))));
    v128.store(target, f64x2.sub(v128.load(target, 16), f64x2.mul(x, v128.load(source, 16))), 16);
  }
}
