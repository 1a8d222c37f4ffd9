import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import { NameServer } from './name_server';

const ROOT = resolve(import.meta.dirname, '../..');

export type Database = 'sqlite' | 'postgres';

/** A running Latchkey of our own: a process, a port and data that nobody else touches. */
export interface Latchkey {
  url: string;
  /** What the server has logged so far. */
  log(): string;
  /** Makes an hour pass for those who are signed in. On Postgres, whose data others can reach beside the server. */
  hourLater(): Promise<void>;
  /** Makes so many days pass for what was given until a day, and for whoever waits to become an owner; on Postgres, too. */
  daysLater(days: number): Promise<void>;
  /** Makes a token with this scope, as the operator does. */
  token(scope: string): Promise<string>;
  /** Has the mail to somebody wait, or be gone; on Postgres, too. */
  mailWaits(email: string, waits: boolean): Promise<void>;
  /** What a company has whose people sign in with an identity provider of its own. */
  company?: Company;
}

/** A company's own identity provider, what it knows Latchkey by, and the name server of its domain. */
export interface Company {
  issuer: string;
  client: string;
  secret: string;
  nameServer: NameServer;
}

/** What a server is started with. */
export interface Stage {
  database: Database;
  /** Whose real identity provider people can sign in with, too: the operator's, or a company's own. */
  identityProvider: 'none' | 'operators' | 'own';
}

/** Starts Latchkey with fresh demo data, hands it to `use`, and stops it by its process id. */
export async function withLatchkey(stage: Stage, use: (latchkey: Latchkey) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-browser-'));
  try {
    const port = await freePort();
    const run = (databaseUrl: string) => {
      const served = (settings: Record<string, string>, company?: Company) =>
        serve(folder, port, databaseUrl, settings, (latchkey) => use({ ...latchkey, company }));
      if (stage.identityProvider === 'operators') return withIdentityProvider(port, (idp) => served(known(idp)));
      if (stage.identityProvider === 'own') return withCompany(port, served);
      return served({});
    };
    if (stage.database === 'sqlite') await run(`sqlite:${join(folder, 'latchkey.db')}`);
    else await withPostgres(run);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program of the build that the crates' tests are part of. */
function built(name: string): string | undefined {
  const target = join(ROOT, 'target');
  const places = existsSync(target) ? readdirSync(target) : [];
  return places.map((place) => join(target, place, 'debug', name)).find((path) => existsSync(path));
}

async function serve(
  folder: string,
  port: number,
  databaseUrl: string,
  settings: Record<string, string>,
  use: (latchkey: Latchkey) => Promise<void>,
) {
  const binary = process.env.LATCHKEY_BIN ?? built('latchkey');
  if (!binary || !existsSync(binary)) throw new Error("There is no latchkey: run 'make test-browser'");

  const url = `http://localhost:${port}`;
  const logFile = join(folder, 'latchkey.log');
  const log = openSync(logFile, 'a');
  const env = {
    ...withoutOwnSettings(process.env),
    LATCHKEY_DEMO: 'true',
    LATCHKEY_LISTEN: `127.0.0.1:${port}`,
    LATCHKEY_PUBLIC_URL: url,
    LATCHKEY_MAIL_FROM: 'Latchkey <latchkey@provider.example>',
    LATCHKEY_SUPPORT_EMAIL: 'help@provider.example',
    LATCHKEY_SUPPORT_URL: 'https://provider.example/contact',
    LATCHKEY_LINKS: 'Imprint: https://provider.example/imprint; Privacy: https://provider.example/privacy',
    DATABASE_URL: databaseUrl,
    ...settings,
  };
  const server = spawn(binary, ['serve'], { cwd: folder, env, stdio: ['ignore', log, log] });
  closeSync(log);
  try {
    await ready(server, url, () => readFileSync(logFile, 'utf8'));
    const hourLater = () =>
      query(databaseUrl, 'UPDATE sessions SET authenticated_at = authenticated_at - 3600000000');
    const daysLater = (days: number) => {
      const passed = days * 86_400_000_000;
      const moved = [
        `UPDATE grants SET until = until - ${passed}`,
        `UPDATE owner_changes SET due_at = due_at - ${passed}`,
        `UPDATE accounts SET owners_due_at = owners_due_at - ${passed}`,
      ];
      return query(databaseUrl, moved.join('; '));
    };
    const mailWaits = (email: string, waits: boolean) => {
      const change = waits ? `state = 'queued', due_at = due_at + 3600000000, ended_at = NULL` : `state = 'kept'`;
      return query(databaseUrl, `UPDATE outbox SET ${change} WHERE email_key = '${email.toLowerCase()}'`);
    };
    const token = async (scope: string) => {
      const order = ['token', 'create', '--name', 'Control panel', '--scope', scope];
      const { stdout } = await promisify(execFile)(binary, order, { cwd: folder, env });
      return stdout.trim().split('\n').at(-1) ?? '';
    };
    await use({ url, log: () => readFileSync(logFile, 'utf8'), hourLater, daysLater, token, mailWaits });
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

type IdentityProvider = Omit<Company, 'nameServer'>;

/** The setting by which Latchkey knows the operator's identity provider. */
function known({ issuer, client, secret }: IdentityProvider): Record<string, string> {
  const fields = Object.entries({ id: 'acme', name: 'Acme Login', issuer, client_id: client, client_secret: secret });
  return { LATCHKEY_IDENTITY_PROVIDERS: `[{ ${fields.map(([name, value]) => `${name} = '${value}'`).join(', ')} }]` };
}

/** Starts a company's identity provider and a name server, and hands them over with the settings that let both be on this machine. */
async function withCompany(
  port: number,
  use: (settings: Record<string, string>, company: Company) => Promise<void>,
) {
  const nameServer = await NameServer.start();
  const settings = { LATCHKEY_DNS_SERVER: nameServer.address, LATCHKEY_SSO_PRIVATE_ADDRESSES: 'true' };
  try {
    await withIdentityProvider(port, (idp) => use(settings, { ...idp, nameServer }));
  } finally {
    await nameServer.stop();
  }
}

/** Starts an identity provider that knows the Latchkey on this port. */
async function withIdentityProvider(port: number, use: (idp: IdentityProvider) => Promise<void>) {
  const [client, secret] = ['latchkey', 'only-for-tests'];
  const provider = spawn(process.execPath, [join(import.meta.dirname, '../openid/server.mjs')], {
    env: {
      ...process.env,
      OPENID_CALLBACK: ['', '/100001'].map((own) => `http://localhost:${port}/sign-in/callback${own}`).join(' '),
      OPENID_CLIENT: client,
      OPENID_SECRET: secret,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const issuer = await firstLine(provider, 'the identity provider');
    await use({ issuer, client, secret });
  } finally {
    await close(provider);
  }
}

async function firstLine(helper: ChildProcess, name: string): Promise<string> {
  if (!helper.stdout) throw new Error(`${name} says nothing`);
  const lines = createInterface({ input: helper.stdout });
  const line = await Promise.race([
    once(lines, 'line').then(([line]) => line as string),
    once(helper, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it named its address`);
    }),
  ]);
  return line.trim();
}

/** Helpers end when nobody listens to them any more. */
async function close(helper: ChildProcess) {
  if (helper.exitCode !== null) return;
  const exit = once(helper, 'exit');
  helper.stdin?.end();
  await exit;
}

async function withPostgres(use: (url: string) => Promise<void>) {
  const given = process.env.TEST_POSTGRES_URL;
  if (given) return withDatabaseIn(given, use);

  const binary = process.env.TEST_POSTGRES_BIN ?? built('test-postgres');
  if (!binary) throw new Error("There is no test-postgres: run 'make test-browser'");

  const helper = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await use(await firstLine(helper, 'test-postgres'));
  } finally {
    await close(helper);
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
