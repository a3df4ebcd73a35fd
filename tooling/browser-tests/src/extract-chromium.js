// Unpacks Chromium, its fonts and the system libraries that it needs. The package always unpacks into the temporary
// folder, so this is a separate program whose caller chooses that folder: `TMPDIR=folder
// AWS_LAMBDA_JS_RUNTIME=nodejs20.x node extract-chromium.js`. The second variable is needed because the package unpacks
// the libraries only on Amazon Linux 2023.

import chromium from '@sparticuz/chromium';

await chromium.executablePath();
