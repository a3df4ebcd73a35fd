/** How a third party describes a backend, and whether it is available here. Unavailable is not passed. */
import type { Backend, ProbeResult } from '@vastmax/linalg-core';
import type { ConformanceCase } from './conformance-case.ts';

/** A backend as the suite takes it: its name, how to create it, and what it is known not to pass. */
export interface BackendUnderTest {
  /** Its name, as in REQUIRE_BACKENDS: `plain-f32`. */
  readonly name: string;
  /** Creates a new instance at every call; the suite disposes it. */
  readonly create: () => Backend | Promise<Backend>;
  /** Without a probe the backend counts as available. */
  readonly probe?: () => ProbeResult | Promise<ProbeResult>;
  /** Case id → why it fails. Such a case must fail: when it passes, remove the entry. */
  readonly knownFailures?: Readonly<Record<string, string>>;
  /**
   * The size in bytes above which the backend stores a table in several pieces; 16 MiB unless given. Cases use tables
   * of 2.2 times this size.
   */
  readonly tablePieceBytes?: number;
}

/** `available`, or the reason why not and whether that is a failure. */
export type Availability =
  | { readonly available: true; readonly detail: string }
  | { readonly available: false; readonly reason: string; readonly required: boolean };

/** The comma-separated names in REQUIRE_BACKENDS. */
export function requiredBackends(
  environment: Readonly<Record<string, string | undefined>> = processEnvironment(),
): ReadonlySet<string> {
  const names = (environment['REQUIRE_BACKENDS'] ?? '').split(',').map((name) => name.trim());
  return new Set(names.filter((name) => name !== ''));
}

/** Calls the probe; one that throws counts as unavailable, with its message. */
export async function findAvailability(
  { name, probe }: BackendUnderTest,
  required: ReadonlySet<string> = requiredBackends(),
): Promise<Availability> {
  if (probe === undefined) return { available: true, detail: 'no probe was given' };
  let result: ProbeResult;
  try {
    result = await probe();
  } catch (error) {
    result = {
      available: false,
      reason: `the probe failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  return result.available ? result : { ...result, required: required.has(name) };
}

/** @throws Error when an entry of knownFailures names no case or gives no reason. */
export function checkKnownFailures(
  { name, knownFailures = {} }: BackendUnderTest,
  cases: readonly ConformanceCase[],
): void {
  const ids = new Set(cases.map((conformanceCase) => conformanceCase.id));
  for (const [id, reason] of Object.entries(knownFailures)) {
    if (!ids.has(id))
      throw new Error(`knownFailures of '${name}': there is no case '${id}'; remove it or correct the id`);
    if (reason.trim() === '') throw new Error(`knownFailures of '${name}': '${id}' has no reason; say why it fails`);
  }
}

function processEnvironment(): Readonly<Record<string, string | undefined>> {
  const host = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } };
  return host.process?.env ?? {};
}
