import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';

const ROOT = resolve(import.meta.dirname, '../..');

export type Database = 'sqlite' | 'postgres';

/** A running Latchkey of our own: a process, a port and data that nobody else touches. */
export interface Latchkey {
  url: string;
  /** What the server has logged so far. */
  log(): string;
  /** Makes an hour pass for those who are signed in. On Postgres, whose data others can reach beside the server. */
  hourLater(): Promise<void>;
}

/** Starts the release binary with fresh demo data, hands it to `use`, and stops it by its process id. */
export async function withLatchkey(database: Database, use: (latchkey: Latchkey) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-browser-'));
  try {
    if (database === 'sqlite') await serve(folder, `sqlite:${join(folder, 'latchkey.db')}`, use);
    else await withPostgres((url) => serve(folder, url, use));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function serve(folder: string, databaseUrl: string, use: (latchkey: Latchkey) => Promise<void>) {
  const binary = process.env.LATCHKEY_BIN ?? join(ROOT, 'target/release/latchkey');
  if (!existsSync(binary)) throw new Error(`There is no ${binary}: run 'make build' first`);

  const port = await freePort();
  const url = `http://localhost:${port}`;
  const logFile = join(folder, 'latchkey.log');
  const log = openSync(logFile, 'a');
  const server = spawn(binary, ['serve'], {
    cwd: folder,
    env: {
      ...withoutOwnSettings(process.env),
      LATCHKEY_DEMO: 'true',
      LATCHKEY_LISTEN: `127.0.0.1:${port}`,
      LATCHKEY_PUBLIC_URL: url,
      LATCHKEY_MAIL_FROM: 'Latchkey <latchkey@provider.example>',
      DATABASE_URL: databaseUrl,
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  try {
    await ready(server, url, () => readFileSync(logFile, 'utf8'));
    const hourLater = () =>
      query(databaseUrl, 'UPDATE sessions SET authenticated_at = authenticated_at - 3600000000');
    await use({ url, log: () => readFileSync(logFile, 'utf8'), hourLater });
  } finally {
    await stop(server);
  }
}

/** The settings of whoever runs the tests must not reach the server under test. */
function withoutOwnSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function ready(server: ChildProcess, url: string, log: () => string) {
  const { expect } = await import('@playwright/test');
  let ended: string | undefined;
  server.once('error', (error) => (ended = error.message));
  server.once('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`));
  const answer = async () => {
    if (ended) return ended;
    try {
      return (await fetch(`${url}/readyz`)).ok ? 'ready' : 'not ready';
    } catch {
      return 'not listening';
    }
  };
  try {
    await expect
      .poll(async () => (await answer()) === 'ready' || ended !== undefined, {
        intervals: [25, 50, 100],
        timeout: 30_000,
      })
      .toBe(true);
  } catch {
    throw new Error(`The server isn't ready after 30 seconds. Its log:\n${log()}`);
  }
  if (ended) throw new Error(`The server didn't start: ${ended}. Its log:\n${log()}`);
}

async function stop(server: ChildProcess) {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const exit = once(server, 'exit');
  const giveUp = setTimeout(() => server.kill('SIGKILL'), 10_000);
  server.kill('SIGTERM');
  await exit;
  clearTimeout(giveUp);
}

async function withPostgres(use: (url: string) => Promise<void>) {
  const given = process.env.TEST_POSTGRES_URL;
  if (given) return withDatabaseIn(given, use);

  const binary = [
    process.env.TEST_POSTGRES_BIN,
    join(ROOT, 'target/debug/test-postgres'),
    join(ROOT, 'target/release/test-postgres'),
  ].find((path) => path && existsSync(path));
  if (!binary) throw new Error("There is no test-postgres: run 'make test-postgres' first");

  const helper = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: helper.stdout });
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => line as string),
      once(helper, 'exit').then(([code]) => {
        throw new Error(`test-postgres ended with ${code} before it named a database`);
      }),
    ]);
    await use(first.trim());
  } finally {
    if (helper.exitCode === null) {
      const exit = once(helper, 'exit');
      helper.stdin.end();
      await exit;
    }
  }
}

/** Two workers at once would mix their data in one database: each gets one of its own on the given server. */
async function withDatabaseIn(server: string, use: (url: string) => Promise<void>) {
  const name = `latchkey_browser_${process.pid}_${Date.now()}`;
  await query(server, `CREATE DATABASE ${name}`);
  try {
    const url = new URL(server);
    url.pathname = `/${name}`;
    await use(url.toString());
  } finally {
    await query(server, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
