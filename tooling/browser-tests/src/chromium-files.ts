// Finds Chromium: the executable in VASTMAX_CHROMIUM, or the one in @sparticuz/chromium (Linux on x64), which is
// unpacked once per version into node_modules/.cache of this package (210 MB). It includes NSS and expat, so it needs
// only glibc from the system.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { installOnce } from './install-once.ts';

export interface ChromiumFiles {
  readonly executable: string;
  /** Variables to add to the environment of the browser. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws Error that says what to do if there is none for this machine */
export async function findChromium(): Promise<ChromiumFiles> {
  const named = process.env['VASTMAX_CHROMIUM'];
  if (named !== undefined && named !== '') return { executable: named, environment: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `@sparticuz/chromium is for Linux on x64, not ${process.platform} on ${process.arch}; name a Chromium in VASTMAX_CHROMIUM`,
    );
  }
  const cache = join(resolve(import.meta.dirname, '..'), 'node_modules/.cache');
  const folder = join(cache, `chromium-${packageVersion()}`);
  await installOnce(folder, unpack);
  const fontSettings = join(cache, `fontconfig-${packageVersion()}`);
  await installOnce(fontSettings, (target) => writeFile(join(target, 'fonts.conf'), settingsFor(folder)));
  return {
    executable: join(folder, 'chromium'),
    environment: {
      LD_LIBRARY_PATH: [join(folder, 'al2023/lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
      // The machine may have no fonts. The settings that come with Chromium name folders of another machine, and without
      // a font it ends at the first text field.
      FONTCONFIG_PATH: process.env['FONTCONFIG_PATH'] ?? fontSettings,
    },
  };
}

function settingsFor(folder: string): string {
  const [fonts, cache] = [join(folder, 'fonts'), join(folder, 'font-cache')];
  return `<?xml version="1.0"?>\n<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>\n`;
}

function packageVersion(): string {
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const { version } = JSON.parse(readFileSync(join(dirname(main), '../../package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

async function unpack(folder: string): Promise<void> {
  const env = { ...process.env, TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x', NODE_OPTIONS: '' };
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'extract-chromium.js')], { env });
}
