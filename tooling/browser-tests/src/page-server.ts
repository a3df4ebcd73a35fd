// A web server for one page and its script, or for a folder of files, which sends the headers under test with each.

import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

export interface PageServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, which browsers treat as a secure context although it is not https. */
  readonly origin: string;
}

const html =
  '<!doctype html><html lang="en"><title>vastmax</title><body><output></output><script type="module" src="/page.js"></script></body></html>\n';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

export function servePage(script: string, headers: Readonly<Record<string, string>>): Promise<PageServer> {
  return listen(({ url }, response) => {
    if (url === '/') response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end(html);
    else if (url === '/page.js') response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript' }).end(script);
    else response.writeHead(404).end();
  });
}

/** @param folder the built files of a page, index.html among them. */
export function serveFolder(folder: string, headers: Readonly<Record<string, string>>): Promise<PageServer> {
  return listen(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://127.0.0.1');
    const path = join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    readFile(path).then(
      (bytes) => {
        const type = types[extname(path)] ?? 'application/octet-stream';
        response.writeHead(200, { ...headers, 'Content-Type': type }).end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
}

async function listen(listener: RequestListener): Promise<PageServer> {
  const server = createServer(listener);
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
