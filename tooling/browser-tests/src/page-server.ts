// A web server for one page and its script, which sends the headers under test with both.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PageServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, which browsers treat as a secure context although it is not https. */
  readonly origin: string;
}

const html =
  '<!doctype html><html lang="en"><title>vastmax</title><body><output></output><script type="module" src="/page.js"></script></body></html>\n';

export async function servePage(script: string, headers: Readonly<Record<string, string>>): Promise<PageServer> {
  const server = createServer(({ url }, response) => {
    if (url === '/') response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end(html);
    else if (url === '/page.js') response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript' }).end(script);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
