import { AUTHORITY_FAULTS } from './authority-faults.ts';
import { DEVICE_FAULTS } from './device-faults.ts';
import { DIRECTORY_FAULTS } from './directory-faults.ts';
import { EMR_FAULTS } from './emr-faults.ts';
import type { Fault } from './fault.ts';
import { GROUP_FAULTS } from './group-faults.ts';

/** Every fault of the practice hospital. */
export const FAULTS: readonly Fault[] = [
  ...DIRECTORY_FAULTS,
  ...GROUP_FAULTS,
  ...DEVICE_FAULTS,
  ...EMR_FAULTS,
  ...AUTHORITY_FAULTS,
];
