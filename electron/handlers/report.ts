import { basename } from 'node:path';
import { REPORTS } from '../../core/report/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { saveFile } from '../../engine/session/save-file.ts';
import { chooseWhereToSave } from '../choose-file.ts';
import { printReport } from '../print-report.ts';
import { guardReport, removeReport } from '../report-guard.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Reports of a bundle, saved where the person says. */
export function reportHandlers({ engine, files, window }: Shell): HandlersOf<'report'> {
  const savePdf = async (path: string): Promise<Result<{ name: string } | null>> => {
    const out = await chooseWhereToSave(window(), 'Save the report as PDF', `${stem(path)}-report.pdf`, 'PDF');
    if (out === undefined) return ok(null);
    const report = await engine.call('bundle.extractReport', { path });
    if (!report.ok) return report;
    try {
      const guarded = await guardReport(report.value.path);
      if (!guarded.ok) return guarded;
      const pdf = await printReport(report.value.path, basename(path));
      if (!pdf.ok) return pdf;
      const saved = await saveFile(out, pdf.value);
      return saved.ok ? ok({ name: basename(out) }) : saved;
    } finally {
      await removeReport(report.value.path);
    }
  };
  return {
    'report.save': async ({ bundle, report }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      if (report === 'pdf') return savePdf(path.value);
      const wanted = REPORTS.find(({ id }) => id === report);
      if (wanted === undefined) return fail('input.malformed', `There is no report "${report}".`);
      const suggested = `${stem(path.value)}-${basename(wanted.file)}`;
      const out = await chooseWhereToSave(window(), wanted.title, suggested, wanted.title);
      return out === undefined ? ok(null) : engine.call('report.save', { path: path.value, report, out });
    },
  };
}

/** The name of a bundle without its ending. */
export function stem(path: string): string {
  return basename(path).replace(/\.asice$/i, '');
}
