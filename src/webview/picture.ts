// A still picture of the page, kept with its state and shown after a reload until the page draws again. The page's
// policy allows no style attributes: they become rules, and what canvases show becomes their background.
export interface Picture {
  html: string;
  css: string;
}

/** More than what VS Code should keep for a page. */
const MAX_CHARACTERS = 1_500_000;

/** @param root the element that the page draws into. null: the picture would be too large. */
export function takePicture(root: HTMLElement): Picture | null {
  const copy = root.cloneNode(true) as HTMLElement;
  copy.firstElementChild?.toggleAttribute('inert', true);
  const looks = new Map<string, number>();
  const below = innerHeight;
  const twins = elementsOf(copy);
  elementsOf(root).forEach((element, i) => {
    const twin = twins[i]!;
    let look = element.getAttribute('style') ?? '';
    twin.removeAttribute('style');
    const { top, width, height } = element.getBoundingClientRect();
    if (element instanceof HTMLCanvasElement && top + scrollY < below)
      look += `;background:url(${element.toDataURL()}) 0 0/100% 100%`;
    // without its script it would show all of its options
    if (element.localName === 'vscode-single-select') {
      const { value } = element as HTMLElement & { value?: string };
      twin.textContent =
        [...element.children].find(each => each.getAttribute('value') === value)?.textContent ?? ' ';
      look += `;display:inline-block;padding:0 5px;width:${width}px;height:${height}px;line-height:${height}px`;
    }
    if (element instanceof HTMLInputElement) twin.setAttribute('value', element.value);
    if (look === '') return;
    if (!looks.has(look)) looks.set(look, looks.size);
    twin.setAttribute('data-look', String(looks.get(look)));
  });
  const css = [...looks].map(([look, at]) => `#${root.id} [data-look="${at}"]{${look}}`).join('\n');
  const html = copy.outerHTML;
  return html.length + css.length > MAX_CHARACTERS ? null : { html, css };
}

function elementsOf(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>('*')];
}
