/** The values of GPUBufferUsage and GPUMapMode, which the specification fixes: Node has no such globals. */
export const bufferUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyDestination: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;

export const mapModeRead = 0x1;
