import { bytes } from './display.ts';

/** The most that this process has had in physical memory (Linux's VmHWM), a line for standard output. */
export function describePeakMemory(): string {
  // Node gives kilobytes, whatever unit the system has.
  return `peak memory  ${bytes(1024 * process.resourceUsage().maxRSS)}\n`;
}
