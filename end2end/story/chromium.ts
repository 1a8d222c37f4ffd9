import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

function onPath(name: string): string | undefined {
  if (name.includes('/')) return name;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Launch options: the Chromium that `CHROMIUM` names, else one on PATH, else Playwright's own. */
export function chromium(): { executablePath?: string; args: string[] } {
  const names = process.env.CHROMIUM
    ? [process.env.CHROMIUM]
    : ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
  const executablePath = names.map(onPath).find((file) => file !== undefined);
  const args = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  // Chromium's sandbox refuses to start as root.
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  return executablePath ? { executablePath, args } : { args };
}
