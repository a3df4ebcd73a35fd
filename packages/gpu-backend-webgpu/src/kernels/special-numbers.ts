/**
 * NaN and infinities in WGSL. A compiler may assume that there are none, and constants may not be one, so a NaN is
 * recognised by its bits and an infinity is computed from a variable. Every function and reduction that could lose a
 * NaN in a comparison uses these.
 */
export const specialNumbers = /* wgsl */ `
var<private> infinityBits: u32 = 0x7f800000u;
var<private> nanBits: u32 = 0x7fc00000u;

fn infinity() -> f32 { return bitcast<f32>(infinityBits); }
fn notANumber() -> f32 { return bitcast<f32>(nanBits); }
fn isNaN1(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn isNaN4(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }
`;
