import { CHECKS } from '../../lab/audit/audit.ts';
import type { Finding } from '../../lab/audit/finding.ts';
import { escapeHtml, renderPage } from './page.ts';

/** An audit as one HTML page that works offline. */
export function renderAudit(runId: string, findings: readonly Finding[], about: string): string {
  const failed = findings.filter(({ verdict }) => verdict === 'failed');
  const verdict =
    failed.length === 0
      ? 'No check proved this result wrong.'
      : `Proved wrong by: ${failed.map(({ check }) => check).join(', ')}.`;
  return renderPage({
    title: `Audit of ${runId}`,
    header: `<h1>Audit of ${escapeHtml(runId)}</h1>\n<p>${escapeHtml(about)}</p>\n<p><strong>${escapeHtml(verdict)}</strong></p>`,
    sections: [{ id: 'findings', title: 'Findings', body: table(findings) }],
    data: { audit: { runId, findings } },
    script: '',
  });
}

const table = (findings: readonly Finding[]): string => `<table>
<thead><tr><th scope="col">check</th><th scope="col">verdict</th><th scope="col">figure</th><th scope="col">what was found</th></tr></thead>
<tbody>
${findings.map(rowOf).join('\n')}
</tbody>
</table>`;

const rowOf = ({ check, verdict, figure = '', text }: Finding): string =>
  `<tr><th scope="row">${escapeHtml(check)}<br><small>${escapeHtml(CHECKS[check]?.asks ?? '')}</small></th><td>${verdict}</td><td>${escapeHtml(figure)}</td><td>${escapeHtml(text)}</td></tr>`;
