// Unpacks Chromium, its fonts and the system libraries it needs into the temporary folder, which is where the package
// puts them. A program of its own, so that this can be a folder of the caller's: `TMPDIR=folder
// AWS_LAMBDA_JS_RUNTIME=nodejs20.x node extract-chromium.js`, the second variable because the package unpacks the
// libraries where it believes to be on Amazon Linux 2023 only.

import chromium from '@sparticuz/chromium';

await chromium.executablePath();
