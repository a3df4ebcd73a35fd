/**
 * Packing for the product: groups of `width` lanes (columns of b), each group depth-first, panel[(group·depth +
 * p)·width + lane]. Lanes past the edge are zero, so that the inner loop knows no edges. Two loops, for which of the
 * two indices is contiguous; the second also transposes a, as one group whose lanes are the depth.
 */

/** source[p, lane] is at p·depthStride + 4·lane bytes; sixteen lanes wide. */
export function packLanes(source: usize, depthStride: usize, lanes: i32, depth: i32, panel: usize): void {
  const width: i32 = 16;
  const step = (<usize>width) << 2;
  for (let lane = 0; lane < lanes; lane += width) {
    let from = source + ((<usize>lane) << 2);
    const rest = lanes - lane;
    if (rest >= width) {
      for (let p = 0; p < depth; p++, from += depthStride, panel += 64) {
        v128.store(panel, v128.load(from));
        v128.store(panel, v128.load(from, 16), 16);
        v128.store(panel, v128.load(from, 32), 32);
        v128.store(panel, v128.load(from, 48), 48);
      }
    } else {
      for (let p = 0; p < depth; p++, from += depthStride, panel += step) {
        for (let t = 0; t < width; t++) {
          store<f32>(panel + ((<usize>t) << 2), t < rest ? load<f32>(from + ((<usize>t) << 2)) : 0);
        }
      }
    }
  }
}

/** source[p, lane] is at lane·laneStride + 4·p bytes: 4×4 blocks are transposed in registers. */
export function packDepth(source: usize, laneStride: usize, lanes: i32, depth: i32, panel: usize, width: i32): void {
  const step = (<usize>width) << 2;
  const whole = depth & ~3;
  const padded = ((lanes + width - 1) / width) * width;
  for (let lane = 0; lane < padded; lane += 4) {
    let target = panel + <usize>(lane / width) * <usize>depth * step + ((<usize>(lane % width)) << 2);
    const r0 = source + <usize>lane * laneStride;
    const rest = lanes - lane;
    if (rest < 4) {
      for (let p = 0; p < depth; p++, target += step) {
        for (let t = 0; t < 4; t++) {
          store<f32>(
            target + ((<usize>t) << 2),
            t < rest ? load<f32>(r0 + <usize>t * laneStride + ((<usize>p) << 2)) : 0,
          );
        }
      }
      continue;
    }
    const r1 = r0 + laneStride;
    const r2 = r1 + laneStride;
    const r3 = r2 + laneStride;
    let p: usize = 0;
    for (const end = (<usize>whole) << 2; p < end; p += 16) {
      const x0 = v128.load(r0 + p);
      const x1 = v128.load(r1 + p);
      const x2 = v128.load(r2 + p);
      const x3 = v128.load(r3 + p);
      const y0 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
      const y1 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
      const y2 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
      const y3 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f64>(y0, y1, 0, 2));
      target += step;
      v128.store(target, v128.shuffle<f64>(y0, y1, 1, 3));
      target += step;
      v128.store(target, v128.shuffle<f64>(y2, y3, 0, 2));
      target += step;
      v128.store(target, v128.shuffle<f64>(y2, y3, 1, 3));
      target += step;
    }
    for (const end = (<usize>depth) << 2; p < end; p += 4, target += step) {
      store<f32>(target, load<f32>(r0 + p));
      store<f32>(target, load<f32>(r1 + p), 4);
      store<f32>(target, load<f32>(r2 + p), 8);
      store<f32>(target, load<f32>(r3 + p), 12);
    }
  }
}
