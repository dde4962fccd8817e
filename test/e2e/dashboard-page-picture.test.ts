// The picture that the page keeps of itself: shown without any script, it looks as the page did.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type KeptPicture, pageHtml, pictureFrom } from '../../src/extension/dashboard/html.ts';
import { root } from '../host/paths.ts';
import { open, page, settled, usePage } from './page.ts';

/** Share of the pixels that differ visibly, counted by the browser. */
async function difference(one: Buffer, other: Buffer): Promise<number> {
  const urls = [one, other].map(png => `data:image/png;base64,${png.toString('base64')}`);
  return page.evaluate(async sources => {
    const images = await Promise.all(
      sources.map(async source => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width: image.width, height: image.height });
        const context = canvas.getContext('2d')!;
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, canvas.width, canvas.height).data;
      }),
    );
    const [a, b] = images as [Uint8ClampedArray, Uint8ClampedArray];
    if (a.length !== b.length) return 1;
    let differing = 0;
    for (let at = 0; at < a.length; at += 4)
      if ([0, 1, 2].some(channel => Math.abs(a[at + channel]! - b[at + channel]!) > 24)) differing++;
    return differing / (a.length / 4);
  }, urls);
}

describe('the picture that the page keeps of itself', () => {
  usePage();

  for (const [theme, width, query] of [
    ['dark', 320, 'runs=3&state=training'],
    ['hc-light', 1500, 'runs=9&state=finished&layers=2'],
  ] as const)
    it(`shows without a script what the page showed: ${theme}, ${width}`, async () => {
      const place = width > 720 ? 'tab' : 'side';
      await open(`theme=${theme}&layout=${place}&nan=0&${query}`, width);
      const kept = await page.waitForFunction(
        () => JSON.parse(sessionStorage.getItem('unroll') ?? '{}').picture ?? null,
      );
      await settled();
      const before = await page.screenshot();
      const picture = pictureFrom({ picture: (await kept.jsonValue()) as KeptPicture });
      assert.ok(picture);
      assert.doesNotMatch(picture.html, /\sstyle=/, 'the policy of the page would drop it');
      const [rootTheme, bodyTheme, bodyClass] = await page.evaluate(() => [
        document.documentElement.dataset['theme'] ?? '',
        document.body.dataset['theme'] ?? '',
        document.body.className,
      ]);
      const styles = ['test/webview/themes.css', 'src/webview/dashboard.css'].map(file =>
        readFileSync(path.join(root, file), 'utf8'),
      );
      const html = pageHtml({
        cspSource: 'file:',
        script: 'none.js',
        styles: styles.join('\n'),
        codicons: 'codicon.css',
        place,
        picture,
      });
      await page.route('**/index.html?*', route =>
        route.fulfill({
          contentType: 'text/html',
          body: html
            .replace('<html', `<html data-theme="${rootTheme}"`)
            .replace('<body', `<body class="${bodyClass}" data-theme="${bodyTheme}"`)
            .replace(/<script.*<\/script>/, ''),
        }),
      );
      await page.reload();
      await page.waitForFunction(() => document.fonts.status === 'loaded');
      await settled();
      await page.screenshot({ path: path.join(root, 'test/out', `picture-${place}-${theme}.png`) });
      const share = await difference(before, await page.screenshot());
      assert.ok(share < 0.02, `${(100 * share).toFixed(1)} % of the pixels differ`);
      assert.equal(await page.locator('[inert]').count(), 1);
    });
});
