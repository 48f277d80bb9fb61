import type { AppError } from '../../core/result.ts';

export type FaultLine = {
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  readonly text: string;
};

const AT = /^(?:.*?[\s:(])??(?:line\s+)?(\d+)(?::|,?\s*column\s+)(\d+)\)?:?\s*(.*)$/;
const PATHED = /^([A-Za-z0-9_$]+(?:[.[][A-Za-z0-9_$\]-]+)+|[a-z][A-Za-z]+):\s+(.+)$/;

/**
 * The faults of a guide or site file that an error carries: its `cause` holds one per line, as `line:column path: words`. Lines
 * without a position are kept as they are, so nothing that main said is lost.
 */
export function faultsOf(error: AppError): readonly FaultLine[] {
  const lines = (error.cause ?? '').split('\n').filter((line) => line.trim() !== '');
  const faults = lines.map(parseFault);
  return faults.some((fault) => fault.line !== undefined) || faults.length > 1 ? faults : [];
}

function parseFault(text: string): FaultLine {
  const match = AT.exec(text.trim());
  if (match === null) return { text: text.trim() };
  const rest = (match[3] ?? '').replace(/^[-–]\s*/, '');
  const pathed = PATHED.exec(rest);
  return {
    line: Number(match[1]),
    column: Number(match[2]),
    ...(pathed?.[1] === undefined ? {} : { path: pathed[1] }),
    text: pathed?.[2] ?? rest,
  };
}
