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
  cells: Record<'rnn' | 'gru' | 'lstm' | 'other', string>;
  font: string;
  isHighContrast: boolean;
}

export function readTheme(): Theme {
  const styles = getComputedStyle(document.body);
  const read = (...names: string[]) => {
    for (const name of names) {
      const value = styles.getPropertyValue(name).trim();
      if (value !== '') return value;
    }
    return styles.color;
  };
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
    cells: {
      rnn: read('--vscode-unroll-rnn', '--vscode-charts-orange'),
      gru: read('--vscode-unroll-gru', '--vscode-charts-green'),
      lstm: read('--vscode-unroll-lstm', '--vscode-charts-blue'),
      other: read('--vscode-charts-purple'),
    },
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
