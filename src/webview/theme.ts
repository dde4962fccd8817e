// The colours of the editor's theme, for what is drawn on a canvas; read anew when the theme changes.

export interface Theme {
  foreground: string;
  quiet: string;
  background: string;
  lines: string;
  grid: string;
  border: string;
  error: string;
  focus: string;
  /** of a cell or a family that has a theme colour; the text's own for any other */
  hueOf(name: string): string;
  /** another one at each reading: what is drawn with older colours is drawn anew */
  version: number;
  font: string;
  isHighContrast: boolean;
}

let version = 0;

export function readTheme(): Theme {
  const styles = getComputedStyle(document.body);
  const read = (...names: string[]) => {
    for (const name of names) {
      const value = styles.getPropertyValue(name).trim();
      if (value !== '') return value;
    }
    return styles.color;
  };
  const hues = new Map<string, string>();
  const isHighContrast = /vscode-high-contrast/.test(document.body.className);
  const background = read('--bg', '--vscode-editor-background');
  const lines = read('--vscode-charts-lines', '--vscode-foreground');
  const foreground = read('--vscode-foreground');
  return {
    foreground,
    quiet: read('--quiet', '--vscode-descriptionForeground'),
    background,
    lines,
    grid: `color-mix(in srgb, ${lines} 25%, transparent)`,
    border: read('--vscode-contrastBorder', '--vscode-panel-border'),
    error: read('--vscode-errorForeground', '--vscode-charts-red'),
    focus: read('--vscode-focusBorder'),
    hueOf(name) {
      let hue = hues.get(name);
      if (hue === undefined) hues.set(name, (hue = read(`--vscode-unroll-${name}`, '--vscode-foreground')));
      return hue;
    },
    version: ++version,
    font: styles.fontFamily,
    isHighContrast,
  };
}

/** VS Code changes the class and the variables of the page when the theme changes. */
export function onThemeChange(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
}
