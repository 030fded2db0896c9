/** Tables in the reader's browser: sorted by a click on a heading, saved as CSV. Plain JavaScript. */
export const TABLES_SCRIPT = String.raw`
/** Numbers by value, "-" and empty cells last, text by letters. */
function cellValue(text) {
  const plain = text.trim().replace(/,(?=\d{3})/g, '').replace('−', '-');
  if (plain === '' || plain === '-') return undefined;
  const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(?= |$)/i.exec(plain);
  return number && !/^\d{4}-\d\d/.test(plain) ? Number(number[0]) : plain;
}
function compareCells(a, b) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
/** RFC 4180; what a spreadsheet would run as a formula is made text. */
function csvField(text) {
  const value = text.trim().replace('−', '-');
  const safe = /^[=+\-@\t\r]/.test(value) && typeof cellValue(value) !== 'number' ? "'" + value : value;
  return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}
const csvText = (rows) => rows.map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';

function save(name, type, text) {
  const link = element('a', { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const table of document.querySelectorAll('table[data-name]:not([data-paged])')) {
  const heads = [...table.tHead.rows[0].cells];
  const rowsOf = () => [...table.tBodies[0].rows];
  heads.forEach((head, column) => {
    const text = head.textContent;
    if (text === '') return;
    const button = element('button', { type: 'button', class: 'sort' }, text);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const descending = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const keyed = rowsOf().map((row) => ({ row, key: cellValue(row.cells[column].textContent) }));
      const known = keyed.filter(({ key }) => key !== undefined);
      known.sort((a, b) => (descending ? -1 : 1) * compareCells(a.key, b.key));
      table.tBodies[0].append(...known.map(({ row }) => row), ...keyed.filter(({ key }) => key === undefined).map(({ row }) => row));
      announce('sorted by ' + text + (descending ? ', descending' : ', ascending'));
    });
  });
  const button = element('button', { type: 'button', class: 'save' }, 'CSV');
  button.setAttribute('aria-label', 'save the table ' + table.dataset.name + ' as CSV');
  button.addEventListener('click', () => {
    const cells = (row) => [...row.cells].map((cell) => cell.textContent);
    save(table.dataset.name + '.csv', 'text/csv', csvText([heads.map((head) => head.textContent), ...rowsOf().map(cells)]));
  });
  table.closest('.table').prepend(button);
}
`;
