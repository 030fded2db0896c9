/** All trades, a page of them at a time, sorted and saved as a whole; plain JavaScript. */
export const TRADES_SCRIPT = String.raw`
function tradeTable(table, columns, zoomTo) {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const kinds = [...table.tHead.rows[0].cells].map((cell) => cell.className);
  const fixed = (v, n) => (v == null ? '-' : v.toFixed(n));
  const short = (v, n) => String(Number(v.toPrecision(n)));
  const text = (i) => [
    columns.symbol[i], columns.side[i], minuteText(Date.parse(columns.entryTime[i])), minuteText(Date.parse(columns.exitTime[i])),
    short(columns.entryPrice[i], 7), short(columns.exitPrice[i], 7), short(columns.baseAmount[i], 6), fixed(columns.feeQuote[i], charts.moneyDigits),
    fixed(columns.profitQuote[i], charts.moneyDigits), fixed(columns.profitPct[i], 2), fixed(columns.maePct[i], 2), fixed(columns.mfePct[i], 2),
    charts.causes[columns.exit[i]] || columns.exit[i],
  ];
  const SIZE = 100;
  let order = columns.symbol.map((_, i) => i);
  let page = Math.max(0, Math.ceil(order.length / SIZE) - 1);
  const where = element('span', { 'aria-live': 'polite' });
  function draw() {
    const shown = order.slice(page * SIZE, (page + 1) * SIZE);
    table.tBodies[0].replaceChildren(...shown.map((i) => {
      const row = element('tr');
      text(i).forEach((value, c) => {
        const cell = element(c === 0 ? 'th' : 'td', { ...(kinds[c] && { class: kinds[c] }), ...(c === 0 && { scope: 'row' }) });
        if (c === 2 && zoomTo) {
          const button = element('button', { type: 'button', class: 'link', 'aria-label': 'show on the candles: ' + value }, value);
          button.addEventListener('click', () => zoomTo(i));
          cell.append(button);
        } else cell.textContent = value;
        row.append(cell);
      });
      return row;
    }));
    where.textContent = order.length === 0 ? 'none' : (page * SIZE + 1) + ' to ' + (page * SIZE + shown.length) + ' of ' + order.length;
  }
  const turn = (label, to) => {
    const button = element('button', { type: 'button' }, label);
    button.addEventListener('click', () => { page = Math.max(0, Math.min(Math.ceil(order.length / SIZE) - 1, to())); draw(); });
    return button;
  };
  const bar = element('div', { class: 'tools' }, turn('first', () => 0), turn('◀ before', () => page - 1), where, turn('next ▶', () => page + 1), turn('last', () => Infinity));
  table.closest('.table').after(bar);
  [...table.tHead.rows[0].cells].forEach((head, c) => {
    const button = element('button', { type: 'button', class: 'sort' }, heads[c]);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const descending = head.getAttribute('aria-sort') === 'ascending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const keys = columns.symbol.map((_, i) => cellValue(text(i)[c]));
      order.sort((a, b) => (descending ? -1 : 1) * compareCells(keys[a], keys[b]) || a - b);
      page = 0;
      draw();
      announce('sorted by ' + heads[c] + (descending ? ', descending' : ', ascending'));
    });
  });
  const button = element('button', { type: 'button', class: 'save', 'aria-label': 'save all trades as CSV' }, 'CSV');
  button.addEventListener('click', () => {
    const names = Object.keys(columns);
    save('trades.csv', 'text/csv', csvText([names, ...columns.symbol.map((_, i) => names.map((name) => String(columns[name][i] ?? '')))]));
  });
  table.closest('.table').prepend(button);
  draw();
}
`;
