import { renderHtmlReport } from './html.ts';
import type { ReportModel } from './model.ts';

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
];
