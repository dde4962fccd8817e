// The dashboard page: it holds no truth, says that it is ready, and draws what the extension tells.
import './dashboard.css';
import { PageConnection } from '../protocol/connection.ts';
import type { ComparisonView, DashboardState, RunPatch, RunView } from '../protocol/messages.ts';
import { h } from './dom.ts';
import { runsOfColumn, shownColumn } from './matrix-columns.ts';
import { choicesOf, isLiving, type Page, type Reading, type Section, type UiState, uiFrom } from './page.ts';
import { type Picture, takePicture } from './picture.ts';
import { EmptySection } from './sections/empty.ts';
import { HeaderSection } from './sections/header.ts';
import { SECTIONS, type SectionName } from './sections/index.ts';
import { NotesSection } from './sections/notes.ts';
import { membersOf, type ShownRun, shownRuns, visibleRuns } from './seeds.ts';
import { onThemeChange, readTheme } from './theme.ts';
import { hostTransport, savedState, saveState } from './vscode-api.ts';

const WIDE = 720;
/** pixels from which sections stand in two columns */
const COLUMNS = 1000;
const UNFOCUSED_MILLISECONDS = 1000;
/** the page is drawn anew more often than VS Code need keep a picture of it */
const PICTURE_MILLISECONDS = 5000;
const FIRST_PICTURE_MILLISECONDS = 500;

const nothing: DashboardState = {
  title: null,
  subtitle: '',
  pinned: null,
  runs: [],
  comparison: { columns: [], rows: [], each: [], baseline: null, effects: [] },
  offer: null,
  restricted: null,
  untrusted: false,
};

class DashboardPage implements Page {
  /** as the host told it */
  private told: DashboardState = nothing;
  state: DashboardState = nothing;
  private shown: ShownRun[] = [];
  visible: readonly RunView[] = [];
  highlighted: string | null = null;
  ui: UiState = uiFrom(savedState());
  theme = readTheme();
  reading: Reading = { step: null, t: null };
  isWide = false;
  readonly connection: PageConnection;
  private readonly app = document.getElementById('app')!;
  private readonly live = h('div', { class: 'sr', role: 'status', attributes: { 'aria-live': 'polite' } });
  private readonly empty = new EmptySection(this);
  private readonly header = new HeaderSection(this);
  private readonly notes = new NotesSection(this);
  private readonly sections: ReadonlyMap<SectionName, Section> = new Map(
    SECTIONS.map(({ name, make: Made }) => [name, new Made(this)]),
  );
  private readonly dashboard: HTMLElement;
  private readonly body = h('div', { class: 'sections' });
  private hasColumns = false;
  private isLoaded = false;
  private chosenBefore = '';
  private frame = 0;
  private readingFrame = 0;
  private renderedAt = 0;
  private picture: Picture | null = null;
  private pictureTimer = 0;
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)');

  constructor() {
    this.dashboard = h('div', { class: 'dashboard' }, this.header.element, this.notes.element, this.body);
    this.arrange();
    document.body.append(this.live);
    this.connection = new PageConnection(hostTransport(), {
      'state/replace': state => this.replace(state),
      'state/update': ({ runs, comparison }) => this.update(runs, comparison),
      'view/focus': ({ section }) => this.focus(section),
    });
    new ResizeObserver(() => this.measure()).observe(this.app);
    onThemeChange(() => {
      this.theme = readTheme();
      this.schedule(true);
    });
    void this.begin().catch(() => {});
  }

  /** A page that was never open before begins as the last one was left. */
  private async begin(): Promise<void> {
    if (savedState() === undefined || savedState() === null)
      this.ui = uiFrom(parsed(await this.connection.request('choices/load', {})));
    this.chosenBefore = choicesOf(this.ui);
    await this.connection.request('page/ready', { smoothing: this.ui.smoothing });
  }

  get members(): readonly RunView[] {
    return this.told.runs;
  }

  get chosen(): RunView | null {
    const runs = this.visible;
    return runs.find(({ id }) => id === this.ui.run) ?? runs.find(isLiving) ?? runs[0] ?? null;
  }

  setUi(patch: Partial<UiState>): void {
    this.ui = { ...this.ui, ...patch };
    this.gather();
    this.save();
    this.keepChoices();
    this.schedule(true);
  }

  isHidden(run: RunView): boolean {
    return membersOf(run).every(({ id }) => this.ui.hidden.includes(id));
  }

  toggle(run: RunView): void {
    const own = membersOf(run).map(({ id }) => id);
    const others = this.ui.hidden.filter(id => !own.includes(id));
    const isHidden = this.isHidden(run);
    this.setUi({ hidden: isHidden ? others : [...others, ...own] });
    this.announce(`${run.label} is ${isHidden ? 'shown' : 'hidden'}`);
  }

  solo(run: RunView): void {
    const own = membersOf(run).map(({ id }) => id);
    const others = this.told.runs.map(({ id }) => id).filter(id => !own.includes(id));
    const isAlone = !this.isHidden(run) && others.every(id => this.ui.hidden.includes(id));
    this.setUi({ hidden: isAlone ? [] : others });
    this.announce(isAlone ? 'All runs are shown' : `${run.label} alone is shown`);
  }

  highlight(id: string | null): void {
    if (id === this.highlighted) return;
    this.highlighted = id;
    this.schedule(true);
  }

  setReading(reading: Partial<Reading>, spoken?: string): void {
    const next = { ...this.reading, ...reading };
    if (spoken !== undefined) this.announce(spoken);
    if (next.step === this.reading.step && next.t === this.reading.t) return;
    this.reading = next;
    if (this.readingFrame) return;
    this.readingFrame = requestAnimationFrame(() => {
      this.readingFrame = 0;
      for (const section of this.sections.values()) section.renderReading?.();
    });
  }

  announce(text: string): void {
    if (text !== '') this.live.textContent = text;
  }

  private save(): void {
    saveState({ ...this.ui, pinned: this.state.pinned, picture: this.picture });
  }

  private keepPictureSoon(): void {
    if (this.pictureTimer) return;
    const take = () => {
      this.pictureTimer = 0;
      this.picture = this.app.firstChild === this.dashboard ? takePicture(this.app) : null;
      this.save();
    };
    this.pictureTimer = window.setTimeout(
      take,
      this.picture ? PICTURE_MILLISECONDS : FIRST_PICTURE_MILLISECONDS,
    );
  }

  /** The runs of one of several data, one for the seeds of a model. */
  private gather(): void {
    const { runs } = this.told;
    const own = runsOfColumn(runs, shownColumn(runs, this.ui.data));
    this.shown = shownRuns(own, this.ui.seeds);
    this.state = { ...this.told, runs: this.shown };
    this.visible = visibleRuns(this.shown, new Set(this.ui.hidden));
    // hidden beside others, and now alone: nothing here would show it again
    if (this.visible.length === 0 && this.shown.length === 1) this.visible = this.shown;
  }

  private keepChoices(): void {
    const choices = choicesOf(this.ui);
    if (choices === this.chosenBefore) return;
    this.chosenBefore = choices;
    void this.connection.request('choices/save', { choices }).catch(() => {});
  }

  private replace(state: DashboardState): void {
    const old = this.told;
    this.told = state;
    const isOther = old.runs.map(({ id }) => id).join() !== state.runs.map(({ id }) => id).join();
    if (isOther && this.isLoaded) this.ui = { ...this.ui, zoom: null, follow: true };
    this.isLoaded = true;
    this.gather();
    this.save();
    this.schedule(true);
  }

  private update(patches: RunPatch[], comparison?: ComparisonView): void {
    const byId = new Map(patches.map(patch => [patch.id, patch]));
    const before = this.told.runs;
    this.told = {
      ...this.told,
      ...(comparison && { comparison }),
      runs: before.map(run => {
        const patch = byId.get(run.id);
        return patch ? { ...run, ...patch } : run;
      }),
    };
    this.gather();
    this.speakOfEnds(before);
    this.schedule(false);
  }

  /** Only findings and ends are told on their own accord. */
  private speakOfEnds(before: readonly RunView[]): void {
    this.told.runs.forEach((run, i) => {
      const old = before[i];
      if (!old || old.id !== run.id) return;
      if (run.state !== old.state && !isLiving(run))
        this.announce(`${run.label} ${run.state} at step ${run.step}`);
      const finding = run.findings.at(-1);
      if (finding && run.findings.length > old.findings.length)
        this.announce(`${run.label}: ${finding.message}`);
    });
  }

  focus(name: string): void {
    const element = this.sections.get(name as SectionName)?.element;
    if (!element) return;
    // what is shown may have been told a moment ago: it is drawn in the next frame
    this.schedule(true);
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        element.scrollIntoView({ block: 'start', behavior: 'auto' });
        element.querySelector<HTMLElement>('[data-first], .chart, [tabindex="0"]')?.focus();
      }),
    );
  }

  private arrange(): void {
    const of = (column?: (typeof SECTIONS)[number]['column']) =>
      SECTIONS.filter(section => column === undefined || section.column === column).map(
        ({ name }) => this.sections.get(name)!.element,
      );
    if (!this.hasColumns) this.body.replaceChildren(...of());
    else
      this.body.replaceChildren(
        ...of('top'),
        h(
          'div',
          { class: 'cols' },
          h('div', { class: 'column' }, ...of('left')),
          h('div', { class: 'column' }, ...of('right')),
        ),
      );
  }

  private measure(): void {
    this.isWide = this.app.clientWidth >= WIDE;
    const hasColumns = this.app.clientWidth >= COLUMNS;
    if (hasColumns !== this.hasColumns) {
      this.hasColumns = hasColumns;
      this.arrange();
    }
    this.schedule(true);
  }

  /** `now`: a person did something; else live data, which is drawn less often when nobody looks closely. */
  private schedule(now: boolean): void {
    if (this.frame) {
      if (!now) return;
      cancelAnimationFrame(this.frame);
      clearTimeout(this.frame);
    }
    const isCalm = this.still.matches || !document.hasFocus();
    const wait = now || !isCalm ? 0 : UNFOCUSED_MILLISECONDS - (performance.now() - this.renderedAt);
    if (wait <= 0) this.frame = requestAnimationFrame(() => this.render());
    else this.frame = window.setTimeout(() => this.render(), wait);
  }

  private render(): void {
    this.frame = 0;
    this.renderedAt = performance.now();
    if (!this.isLoaded) return;
    this.keepPictureSoon();
    this.app.classList.toggle('wide', this.isWide);
    if (this.state.runs.length === 0) {
      if (this.app.firstChild !== this.empty.element) this.app.replaceChildren(this.empty.element);
      this.empty.render();
      return;
    }
    if (this.app.firstChild !== this.dashboard) this.app.replaceChildren(this.dashboard);
    this.header.render();
    this.notes.render();
    for (const section of this.sections.values()) section.render();
    performance.measure('unroll-render', { start: this.renderedAt });
  }
}

function parsed(choices: string | null): unknown {
  try {
    return JSON.parse(choices ?? 'null');
  } catch {
    return null;
  }
}

new DashboardPage();
