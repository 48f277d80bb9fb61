// Stands in for Electron's own default_app.asar, which the trial runtime lacks: starts the app whose folder is the
// first argument that is not a switch, as `electron <folder>` does.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';

const given = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
if (given === undefined) {
  process.stderr.write('Say which app to start: electron <folder>\n');
  app.exit(2);
} else {
  const folder = resolve(given);
  const described = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  Object.defineProperty(process, 'defaultApp', { configurable: false, enumerable: true, value: true });
  app.setName(described.productName ?? described.name);
  app.setVersion(described.version);
  app.setAppPath(folder);
  // A profile named on the command line stays; Electron's default one is named after this loader.
  if (!app.commandLine.hasSwitch('user-data-dir')) app.setPath('userData', join(app.getPath('appData'), app.name));
  try {
    // Awaited, because Electron is ready only after its first module is loaded, and an app relies on that.
    await import(pathToFileURL(join(folder, described.main)).href);
  } catch (error) {
    process.stderr.write(`${error?.stack ?? error}\n`);
    app.exit(1);
  }
}
