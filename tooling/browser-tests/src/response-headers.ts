// The HTTP headers of a page, as in packages/cpu-backend-wasm/README.md under "In a browser".

type Headers = Readonly<Record<string, string>>;

/** Cross-origin isolation: needed for shared memory, and so for threads. */
export const isolation: Headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Cross-origin isolation, and a content security policy that allows the script of the page and what the arguments add.
 */
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
