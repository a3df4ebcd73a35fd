/**
 * Runs a plan by itself: each dispatch in its own pass, on buffers created from arrays, with all scratch filled with
 * NaN.
 */
import { bufferUsage, mapModeRead } from '../device/buffer-usage.ts';
import type { BindingRole, KernelDispatch } from '../kernel-dispatch.ts';

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function pipelineOf(device: GPUDevice, { code, entryPoint }: KernelDispatch): GPUComputePipeline {
  const cache = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, cache);
  const key = `${entryPoint} ${code}`;
  let pipeline = cache.get(key);
  if (pipeline === undefined) {
    pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint },
    });
    cache.set(key, pipeline);
  }
  return pipeline;
}

export type Operands = Partial<Record<BindingRole, Float32Array>>;

export interface PreparedPlan {
  /** Records the whole plan `times` over into one command buffer and submits it. */
  submit(times?: number): void;
  read(role: BindingRole): Promise<Float32Array>;
  dispose(): void;
}

export function preparePlan(device: GPUDevice, plan: readonly KernelDispatch[], operands: Operands): PreparedPlan {
  const buffers = new Map<BindingRole, GPUBuffer>();
  const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyDestination;
  const create = (role: BindingRole, values: Float32Array): void => {
    const buffer = device.createBuffer({ size: Math.max(16, values.byteLength), usage });
    device.queue.writeBuffer(buffer, 0, values.slice());
    buffers.set(role, buffer);
  };
  for (const [role, values] of Object.entries(operands) as [BindingRole, Float32Array][]) create(role, values);
  const scratch: number[] = [];
  for (const { scratchBytes = [] } of plan)
    scratchBytes.forEach((bytes, i) => (scratch[i] = Math.max(scratch[i] ?? 0, bytes)));
  scratch.forEach((bytes, i) => create(`scratch${i}`, new Float32Array(Math.ceil(bytes / 4)).fill(Number.NaN)));

  const uniforms: GPUBuffer[] = [];
  const passes = plan.map((dispatch) => {
    const pipeline = pipelineOf(device, dispatch);
    const uniform = device.createBuffer({
      size: dispatch.uniforms.byteLength,
      usage: bufferUsage.uniform | bufferUsage.copyDestination,
    });
    device.queue.writeBuffer(uniform, 0, dispatch.uniforms);
    uniforms.push(uniform);
    const entries = [uniform, ...dispatch.bindings.map((role) => buffers.get(role))].map((buffer, binding) => {
      if (buffer === undefined)
        throw new Error(`the plan binds ${dispatch.bindings[binding - 1] ?? ''}, which is not among the operands`);
      return { binding, resource: { buffer } };
    });
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, workgroups: dispatch.workgroups };
  });

  return {
    submit: (times = 1) => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < times; i++) {
        for (const { pipeline, group, workgroups } of passes) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...workgroups);
        }
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    read: async (role) => {
      const source = buffers.get(role);
      if (source === undefined) throw new Error(`no operand ${role}`);
      const target = device.createBuffer({
        size: source.size,
        usage: bufferUsage.copyDestination | bufferUsage.mapRead,
      });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, source.size);
      device.queue.submit([encoder.finish()]);
      await target.mapAsync(mapModeRead);
      const length = operands[role]?.length ?? source.size / 4;
      const values = new Float32Array(target.getMappedRange()).slice(0, length);
      target.destroy();
      return values;
    },
    dispose: () => {
      for (const buffer of [...buffers.values(), ...uniforms]) buffer.destroy();
    },
  };
}

/** `results` after one run of the plan. @throws Error with Dawn's message */
export async function runPlan(
  device: GPUDevice,
  plan: readonly KernelDispatch[],
  operands: Operands,
  results: readonly BindingRole[],
): Promise<Float32Array[]> {
  device.pushErrorScope('validation');
  const prepared = preparePlan(device, plan, operands);
  prepared.submit();
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(error.message);
  const values = await Promise.all(results.map((role) => prepared.read(role)));
  prepared.dispose();
  return values;
}
