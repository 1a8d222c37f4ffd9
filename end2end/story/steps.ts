import { expect, type Locator, type Page } from '@playwright/test';
import type { Account, Person } from './people';
import type { Permission, Room } from './permissions';
import { rememberedCookies } from './test';

/** Fills in the sign-in form, wherever the page shows it, and sends it. */
export async function fillSignIn(page: Page, { email, password }: { email: string; password: string }) {
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Signs in through the form, whoever was signed in before. For tests that sign out again or look at the form. */
export async function signInByForm(page: Page, person: Person) {
  await page.goto('/sign-in');
  await fillSignIn(page, person);
  await expect(ownName(page, person)).toBeVisible();
}

/** Signs in; once per person and worker through the form, after that with the cookie from then. */
export async function signIn(page: Page, person: Person) {
  const keyring = rememberedCookies();
  const cookies = keyring.get(person.email);
  await page.context().clearCookies();
  if (cookies) {
    await page.context().addCookies(cookies);
    await page.goto('/accounts');
    if (!new URL(page.url()).pathname.startsWith('/sign-in')) return expect(ownName(page, person)).toBeVisible();
  }
  await signInByForm(page, person);
  keyring.set(person.email, await page.context().cookies());
}

/** Signs in and goes to an account's page; without `path` to its overview. */
export async function enter(page: Page, person: Person, account: Account, path = '') {
  await signIn(page, person);
  return page.goto(inAccount(account, path));
}

export function inAccount(account: Account, path = ''): string {
  return `/accounts/${account.number}${path && `/${path}`}`;
}

export async function signOut(page: Page, person: Person) {
  await ownName(page, person).click();
  await accountMenu(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in/);
}

/** The button at the top right that opens the account menu: its name is one's own. */
export function ownName(page: Page, { name }: Person): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** The header, with the panel that one's own name opens. */
export function accountMenu(page: Page): Locator {
  return page.getByRole('banner');
}

export function heading(page: Page, name: string | RegExp): Locator {
  return page.getByRole('heading', { level: 1, name, exact: typeof name === 'string' });
}

/** What was announced: a message in role=status. */
export function announcement(page: Page, text: string | RegExp): Locator {
  return page.getByRole('status').filter({ hasText: text });
}

/** The way the guide describes: click your own name, then "User management". */
export async function openUserManagement(page: Page, person: Person) {
  await ownName(page, person).click();
  await accountMenu(page).getByRole('link', { name: 'User management', exact: true }).click();
  await expect(heading(page, 'User management')).toBeVisible();
}

export function usersTable(page: Page): Locator {
  return page.getByRole('table', { name: 'Users', exact: true });
}

export function invitationsTable(page: Page): Locator {
  return page.getByRole('table', { name: 'Pending invitations' });
}

/** The row of a table that holds this e-mail address. */
export function rowOf(table: Locator, email: string): Locator {
  return table.getByRole('row').filter({ hasText: email });
}

/** "Invite new user": a dialog over the list once the page is alive, else a page of its own. Both hold the same form. */
export async function openInviteForm(page: Page): Promise<Locator> {
  const opener = { name: 'Invite new user', exact: true };
  await page.getByRole('link', opener).or(page.getByRole('button', opener)).click();
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Send invitation', exact: true }) });
  await expect(form.getByLabel('Email address')).toBeVisible();
  return form;
}

export async function tick(form: Locator, permissions: readonly Permission[]) {
  for (const permission of permissions) await form.getByRole('checkbox', { name: permission }).check();
}

export async function untick(form: Locator, permissions: readonly Permission[]) {
  for (const permission of permissions) await form.getByRole('checkbox', { name: permission }).uncheck();
}

/** From the users page: fills in the invitation, sends it and waits to be told so. */
export async function sendInvitation(
  page: Page,
  { email, permissions }: { email: string; permissions: readonly Permission[] },
) {
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await tick(form, permissions);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
}

/** The mails to somebody in the demo mailbox, newest first. */
export function mailsTo(mailbox: Page, recipient: string, subject: string | RegExp): Locator {
  return mailbox.getByRole('main').getByRole('link').filter({ hasText: recipient }).filter({ hasText: subject });
}

/**
 * Opens the newest mail to `recipient` and returns the invitation link in it, or another one that begins with `to`. A
 * worker delivers the mail, so the mailbox is asked again until `count` such mails are there.
 */
export async function readMail(
  page: Page,
  recipient: string,
  subject: string | RegExp,
  count = 1,
  to = '/invitations/',
): Promise<string> {
  const mailbox = await page.context().newPage();
  const mails = mailsTo(mailbox, recipient, subject);
  await expect(async () => {
    await mailbox.goto('/demo/mailbox');
    await expect(mails).toHaveCount(count, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await mails.first().click();
  const link = mailbox.getByRole('main').locator(`a[href*="${to}"]`).first();
  await expect(link).toBeVisible();
  const address = await link.getAttribute('href');
  await mailbox.close();
  return address ?? '';
}

/** Invites from any page of the inviter's and returns the link that the invited person gets by mail. */
export async function invite(
  page: Page,
  inviter: Person,
  account: Account,
  { email, permissions }: { email: string; permissions: readonly Permission[] },
): Promise<string> {
  await enter(page, inviter, account, 'users');
  await sendInvitation(page, { email, permissions });
  return readMail(page, email, account.name);
}

/** Opens an invitation and joins with a login that is created on the spot. */
export async function joinWithNewLogin(page: Page, link: string, person: Person, account: Account) {
  await page.goto(link);
  await expect(heading(page, `Join ${account.name}`)).toBeVisible();
  await page.getByLabel('Full name').fill(person.name);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create login and join' }).click();
  await expect(page).toHaveURL(new RegExp(`/accounts/${account.number}`));
  await expect(ownName(page, person)).toBeVisible();
}

/** Opens an invitation and joins with the login that the address already has. */
export async function joinWithLogin(page: Page, link: string, person: Person, account: Account) {
  await page.goto(link);
  await expect(heading(page, `Join ${account.name}`)).toBeVisible();
  await expect(page.getByText('You already have a login')).toBeVisible();
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in and join' }).click();
  await expect(page).toHaveURL(new RegExp(`/accounts/${account.number}`));
  await expect(ownName(page, person)).toBeVisible();
}

/** Brings somebody new into an account; `page` is the inviter's, `theirs` ends up signed in as the new user. */
export async function bringIn(
  { page, theirs }: { page: Page; theirs: Page },
  inviter: Person,
  account: Account,
  newcomer: Person,
  permissions: readonly Permission[],
) {
  const link = await invite(page, inviter, account, { email: newcomer.email, permissions });
  await joinWithNewLogin(theirs, link, newcomer, account);
}

export async function openManageAccess(page: Page, { name }: { name: string }) {
  await page.getByRole('link', { name: `Manage access for ${name}`, exact: true }).click();
  await expect(heading(page, `Manage access for ${name}`)).toBeVisible();
}

/** The form of the manage page that holds the permissions. */
export function permissionsForm(page: Page): Locator {
  return page.locator('form').filter({ has: page.getByRole('button', { name: 'Save changes' }) });
}

export async function saveChanges(page: Page) {
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(announcement(page, 'Changes saved')).toBeVisible();
}

/** On the page for managing somebody's access. */
export async function pauseAccess(page: Page, { name }: { name: string }) {
  await page.getByRole('button', { name: 'Pause access', exact: true }).click();
  await expect(announcement(page, `Access paused for ${name}`)).toBeVisible();
}

export type Verb = 'Remove access' | 'Cancel invitation' | 'Decline invitation' | "I don't know this person";

/**
 * What can't be undone is asked once more, in a dialog or on a page of its own, in a heading that names who or what.
 * Returns the button that does it, which repeats the verb.
 */
export async function asked(page: Page, verb: Verb, about: string): Promise<Locator> {
  const dialog = page.getByRole('dialog').or(page.getByRole('alertdialog'));
  const question = page.getByRole('heading', { name: new RegExp(verb.slice(0, verb.indexOf(' ')), 'i') });
  await expect(question.filter({ hasText: about })).toBeVisible();
  const place = (await dialog.isVisible()) ? dialog : page.getByRole('main');
  return place.getByRole('button', { name: verb });
}

export async function removeAccess(page: Page, { name }: { name: string }) {
  await page.getByRole('button', { name: 'Remove access' }).or(page.getByRole('link', { name: 'Remove access' })).click();
  await (await asked(page, 'Remove access', name)).click();
  await expect(announcement(page, `Access removed for ${name}`)).toBeVisible();
}

/** Goes into a room of the account and finds it open. */
export async function expectOpen(page: Page, account: Account, room: { path: string; heading: Room }) {
  const answer = await page.goto(inAccount(account, room.path));
  expect(answer?.status(), `${room.path} is open`).toBe(200);
  await expect(heading(page, room.heading)).toBeVisible();
}

/** Goes to a room of the account and is refused, with the reason. */
export async function expectRefused(page: Page, account: Account, room: { path: string; heading: Room }) {
  const answer = await page.goto(inAccount(account, room.path));
  expect(answer?.status(), `${room.path} is refused`).toBe(403);
  await expect(heading(page, `You don't have access to ${room.heading}`)).toBeVisible();
}

/** The form came back: the title says so, the summary has the focus and leads to the field, which says the same. */
export async function expectProblem(page: Page, field: Locator, words: string | RegExp) {
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveAccessibleDescription(words);
}

/** The box with the heading "There is a problem", which takes the focus. */
export async function expectSummaryFocused(page: Page) {
  const focused = page.locator(':focus');
  await expect(focused).toContainText('There is a problem');
}
