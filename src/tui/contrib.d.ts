// The two parts of blessed-contrib in use, by path: its index loads every widget, maps and pictures too, which takes 60 ms more.

declare module 'blessed-contrib/lib/layout/grid.js' {
  import type { Widgets } from 'blessed';

  /** Cells of the screen in rows and columns; `set` makes a widget that spans some of them. */
  class Grid {
    constructor(options: { rows: number; cols: number; screen: Widgets.Screen; hideBorder?: boolean });
    set<W>(row: number, col: number, rowSpan: number, colSpan: number, make: (options: never) => W, options: object): W;
  }

  export = Grid;
}

declare module 'blessed-contrib/lib/widget/sparkline.js' {
  import type { Widgets } from 'blessed';

  /** Makes a box of lines of block characters, a title above each. */
  function sparkline(options: object): Widgets.BoxElement & {
    setData(titles: readonly string[], values: readonly (readonly number[])[]): void;
  };
  export = sparkline;
}
