// What a page is served with: as packages/cpu-backend-wasm/README.md says under "In a browser".

type Headers = Readonly<Record<string, string>>;

/** For shared memory, and so for threads. */
export const isolation: Headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Isolation, and only what the policy's directives allow beside the page's own script. */
export function withPolicy({
  script = '',
  worker = "'none'",
}: {
  readonly script?: string;
  readonly worker?: string;
}): Headers {
  return {
    ...isolation,
    'Content-Security-Policy': `default-src 'none'; script-src 'self' ${script}; worker-src ${worker}`,
  };
}
