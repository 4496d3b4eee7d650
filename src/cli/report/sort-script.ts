// The one script of a report, allowed by its hash: a click on a heading sorts the table. Without it everything is still there, in the order of bytes.

/** Runs in the reader's browser; touches nothing but the order of rows. */
export const SORT_SCRIPT = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') === 'descending';
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const sign = up ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return sign * (x !== '' && y !== '' && isFinite(x) && isFinite(y) ? x - y : x.localeCompare(y));
      });
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      body.append(...rows);
    });
  });
}
`;
