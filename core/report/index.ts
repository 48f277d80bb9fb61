import { renderCalendar } from './calendar.ts';
import { renderCsvReport } from './csv.ts';
import { renderHdfReport } from './hdf.ts';
import { renderHtmlReport } from './html.ts';
import type { ReportModel } from './model.ts';
import { renderOpenItems } from './open-items.ts';
import { renderOscalReport } from './oscal-ar.ts';
import { renderVerdicts, VERDICTS_FILE } from './verdicts.ts';

/** A report that goes into every bundle. Pure: the same model gives the same bytes. */
export type Report = {
  readonly id: string;
  readonly title: string;
  /** Entry of the bundle. */
  readonly file: string;
  readonly mediaType: string;
  readonly render: (model: ReportModel) => string;
};

/** THE list of reports. */
export const REPORTS: readonly Report[] = [
  { id: 'html', title: 'Report for people', file: 'report.html', mediaType: 'text/html', render: renderHtmlReport },
  {
    id: 'csv',
    title: 'One row per control and target',
    file: 'reports/results.csv',
    mediaType: 'text/csv',
    render: renderCsvReport,
  },
  {
    id: 'hdf',
    title: 'Heimdall Data Format',
    file: 'reports/hdf.json',
    mediaType: 'application/json',
    render: renderHdfReport,
  },
  {
    id: 'oscal',
    title: 'OSCAL assessment results',
    file: 'reports/oscal-ar.json',
    mediaType: 'application/json',
    render: renderOscalReport,
  },
  {
    id: 'ics',
    title: 'Calendar of what runs out',
    file: 'reports/expiry.ics',
    mediaType: 'text/calendar',
    render: renderCalendar,
  },
  {
    id: 'verdicts',
    title: 'Verdicts alone, without names and addresses',
    file: VERDICTS_FILE,
    mediaType: 'application/json',
    render: renderVerdicts,
  },
  {
    id: 'open-items-hospital',
    title: 'What the hospital must do',
    file: 'reports/open-items-hospital.md',
    mediaType: 'text/markdown',
    render: (model) => renderOpenItems(model, 'hospital'),
  },
  {
    id: 'open-items-manufacturer',
    title: 'What the manufacturer must do',
    file: 'reports/open-items-manufacturer.md',
    mediaType: 'text/markdown',
    render: (model) => renderOpenItems(model, 'manufacturer'),
  },
];
