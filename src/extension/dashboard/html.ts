// The page around the dashboard: nothing may run or load but our own files, and no data stands in it.
import { randomBytes } from 'node:crypto';

export interface PageFiles {
  cspSource: string;
  script: string;
  styles: string;
  codicons: string;
  /** which background the page stands on */
  place: 'side' | 'tab';
}

export function pageHtml({ cspSource, script, styles, codicons, place }: PageFiles): string {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${codicons}" id="vscode-codicon-stylesheet">
<link rel="stylesheet" href="${styles}">
<title>Unroll</title>
</head>
<body data-place="${place}">
<main id="app"></main>
<script type="module" nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
