// The page around the dashboard: nothing may run or load but our own files. After a reload it shows the last picture
// of itself, inert, until its script draws.
import { randomBytes } from 'node:crypto';

export interface PageFiles {
  cspSource: string;
  script: string;
  /** the text of the style sheet: in the page, so that the picture waits for no file */
  styles: string;
  codicons: string;
  /** which background the page stands on */
  place: 'side' | 'tab';
  /** null: the page begins empty */
  picture: KeptPicture | null;
}

export interface KeptPicture {
  html: string;
  css: string;
}

/** What a page kept of itself in VS Code's storage, as a page of any version left it there. */
export function pictureFrom(state: unknown): KeptPicture | null {
  const { html, css } = (state as { picture?: Partial<KeptPicture> | null } | null)?.picture ?? {};
  // rules that would end their element are none of the page's
  if (typeof html !== 'string' || typeof css !== 'string' || css.includes('<')) return null;
  return { html, css };
}

export function pageHtml({ cspSource, script, styles, codicons, place, picture }: PageFiles): string {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
    // charts of the picture
    'img-src data:',
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style nonce="${nonce}">${styles}</style>
<style nonce="${nonce}">${picture?.css ?? ''}</style>
<title>Unroll</title>
</head>
<body data-place="${place}">
${picture?.html ?? '<main id="app"></main>'}
<link rel="stylesheet" href="${codicons}" id="vscode-codicon-stylesheet">
<script type="module" nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
